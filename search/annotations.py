"""What programs keep with a study or its trials besides numbers: metadata and links, by name."""

from __future__ import annotations

import time
from collections.abc import Mapping

import sqlalchemy as sa

from search.database import Database
from search.errors import StudyNotFound
from search.schema import progress, study_metadata, trial_links, trial_metadata

NAME_LIMIT = 255
VALUE_LIMIT = 1 << 24


class Annotations:
    """The metadata and links of one study. A value is a text; who writes it gives it a meaning."""

    def __init__(self, database: Database, study_id: int) -> None:
        self._database = database
        self._study_id = study_id

    def set_metadata(self, values: Mapping[str, str], number: int | None = None) -> None:
        """Keep values by name, of a trial or (None) of the study, in place of any of the same names."""
        self._set(study_metadata if number is None else trial_metadata, values, number)

    def set_links(self, number: int, links: Mapping[str, str]) -> None:
        """Keep a trial's links by name, in place of any of the same names."""
        self._set(trial_links, links, number)

    def metadata(self, number: int | None = None) -> dict[str, str]:
        """Return the metadata of a trial or (None) of the study."""
        return self._get(study_metadata if number is None else trial_metadata, number)

    def of_trials(self, table: sa.Table, number: int | None = None) -> dict[int, dict[str, str]]:
        """Return the rows of `trial_metadata` or `trial_links`, by trial: all, or one trial's."""
        found: dict[int, dict[str, str]] = {}
        query = sa.select(table.c.number, table.c.name, table.c.value).where(table.c.study_id == self._study_id)
        query = query if number is None else query.where(table.c.number == number)
        with self._database.read() as connection:
            for row in connection.execute(query):
                found.setdefault(row.number, {})[row.name] = row.value
        return found

    def _set(self, table: sa.Table, values: Mapping[str, str], number: int | None) -> None:
        key = self._key(number)
        rows = [{**key, "name": _checked(name, NAME_LIMIT), "value": _checked(values[name], VALUE_LIMIT)}
                for name in values]  # fmt: skip
        if not rows:
            return

        def work(connection: sa.Connection) -> None:
            this = progress.c.study_id == self._study_id
            values = {"change_seq": progress.c.change_seq + 1, "updated_at": time.time()}
            if not connection.execute(sa.update(progress).where(this).values(**values)).rowcount:
                raise StudyNotFound(f"the study is no longer in {self._database.label}")
            for row in rows:
                same = [table.c[column] == row[column] for column in (*key, "name")]
                connection.execute(sa.delete(table).where(*same))
            connection.execute(table.insert(), rows)

        self._database.write(work)

    def _get(self, table: sa.Table, number: int | None) -> dict[str, str]:
        chosen = [table.c[name] == value for name, value in self._key(number).items()]
        with self._database.read() as connection:
            rows = connection.execute(sa.select(table.c.name, table.c.value).where(*chosen).order_by(table.c.name))
            return {row.name: row.value for row in rows}

    def _key(self, number: int | None) -> dict[str, int]:
        return {"study_id": self._study_id} if number is None else {"study_id": self._study_id, "number": number}


def _checked(text: str, limit: int) -> str:
    """Return a text that the database can hold; raise ValueError otherwise."""
    if not isinstance(text, str) or len(text) > limit or "\0" in text:
        raise ValueError(f"{str(text)[:80]!r} cannot be kept: expected a text of at most {limit} characters, no NUL")
    return text
