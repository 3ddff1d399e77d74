"""The dashboard: a local web page, and a documented REST API, over the database of studies."""
