"""What the API answers, as types: they make the OpenAPI document, and no answer is built or checked with them."""
