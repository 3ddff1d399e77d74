"""What every document of the API is: its fields are all there, and there are no others."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Cell = float | int | str | bool | None
"""A value of a trial; null where it has none."""

Point = Annotated[list[float], Field(min_length=2, max_length=2)]
"""Two numbers that belong together."""

Answers = dict[int | str, dict[str, object]]
"""Further answers of a request, by status, as FastAPI takes them."""


class Document(BaseModel):
    """A JSON object whose fields are listed in full."""

    model_config = ConfigDict(
        extra="forbid", use_attribute_docstrings=True, json_schema_serialization_defaults_required=True
    )


class Failure(Document):
    """Why a request was refused or failed."""

    error: str
    """One line: what is wrong, what to do."""


FAILURES: Answers = {
    "4XX": {"model": Failure, "description": "The request is refused."},
    "5XX": {"model": Failure, "description": "The database cannot be read."},
}
"""What any request may be answered with."""

UNCHANGED: Answers = {
    304: {"description": "Nothing has changed since the answer whose ETag came as `If-None-Match`."},
}


def of_type(media_type: str, **schema: str) -> Answers:
    """Return that a request is answered in a media type: a text, unless the schema says `format="binary"`."""
    return {200: {"content": {media_type: {"schema": {"type": "string", **schema}}}}}
