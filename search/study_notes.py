"""What people note on a study: tags, a text in Markdown, whether it is put away."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from search.database import Database
from search.schema import progress, study_metadata

RESERVED = "dashboard."
"""How the names begin that a program's own metadata should not have."""

TAGS, NOTE, ARCHIVED = f"{RESERVED}tags", f"{RESERVED}note", f"{RESERVED}archived"
MOST_TAGS, LONGEST_TAG, LONGEST_NOTE = 32, 64, 1 << 16


@dataclass(frozen=True, slots=True)
class StudyNotes:
    """What is noted on a study.

    Attributes:
      tags: short texts, each once.
      note: in Markdown.
      archived: whether lists leave the study out unless they are asked for all.

    Raises:
      ValueError: for more or longer texts than are kept.
    """

    tags: tuple[str, ...] = ()
    note: str = ""
    archived: bool = False

    def __post_init__(self) -> None:
        wrong = [tag for tag in self.tags if not 0 < len(tag) <= LONGEST_TAG or not tag.isprintable()]
        if wrong or len(self.tags) > MOST_TAGS:
            raise ValueError(
                f"{wrong[0][:80] if wrong else len(self.tags)!r} is not as tags are: expected at most {MOST_TAGS} of "
                f"1 to {LONGEST_TAG} printable characters"
            )
        if len(self.note) > LONGEST_NOTE or "\0" in self.note:
            raise ValueError(f"the note has {len(self.note)} characters: expected at most {LONGEST_NOTE}, and no NUL")
        object.__setattr__(self, "tags", tuple(dict.fromkeys(self.tags)))


def read_notes(database: Database, study_id: int) -> StudyNotes:
    """Return what is noted on a study; what other programs wrote under these names and is not so counts as nothing."""
    query = sa.select(study_metadata.c.name, study_metadata.c.value)
    query = query.where(study_metadata.c.study_id == study_id, study_metadata.c.name.in_([TAGS, NOTE, ARCHIVED]))
    with database.read() as connection:
        found = {row.name: row.value for row in connection.execute(query)}
    try:
        return StudyNotes(_tags(found.get(TAGS, "[]")), found.get(NOTE, ""), found.get(ARCHIVED) == "true")
    except ValueError:
        return StudyNotes()


def write_notes(database: Database, study_id: int, notes: StudyNotes) -> None:
    """Keep what is noted on a study, beside a driver: `change_seq`, by which it knows its own writes, is left alone."""
    values = {TAGS: json.dumps(notes.tags), NOTE: notes.note, ARCHIVED: json.dumps(notes.archived)}
    rows = [{"study_id": study_id, "name": name, "value": value} for name, value in values.items()]

    def work(connection: sa.Connection) -> None:
        this = (study_metadata.c.study_id == study_id, study_metadata.c.name.in_(list(values)))
        connection.execute(sa.delete(study_metadata).where(*this))
        connection.execute(study_metadata.insert(), rows)
        connection.execute(sa.update(progress).where(progress.c.study_id == study_id).values(updated_at=time.time()))

    database.write(work)


def _tags(text: str) -> tuple[str, ...]:
    found: Any = json.loads(text)
    return tuple(str(tag) for tag in found) if isinstance(found, list) else ()
