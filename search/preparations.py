"""Preparations as records: jobs whose result many trials share, such as a trained supernet."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa

from search.database import Database
from search.schema import preparations

STATES = ("RUNNING", "COMPLETED", "FAILED")


@dataclass(frozen=True, slots=True)
class Preparation:
    """A job and how far it is.

    Attributes:
      key: a hash of all that it is made from, so that studies share what is equal.
      kind: what it makes, e.g. `supernet`.
      state: RUNNING, COMPLETED or FAILED.
      progress: from 0 to 1.
      path: of its newest checkpoint; empty before the first.
      sha256: of that checkpoint.
      created_at, updated_at: seconds since 1970; set when it is saved.
    """

    key: str
    kind: str
    state: str = "RUNNING"
    progress: float = 0.0
    path: str = ""
    sha256: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"state {self.state!r} of preparation {self.key!r} is not one of {', '.join(STATES)}")
        if not 0.0 <= self.progress <= 1.0:
            raise ValueError(f"progress {self.progress} of preparation {self.key!r} is not from 0 to 1")


def load_preparation(database: Database, key: str) -> Preparation | None:
    """Return the preparation of that key, or None."""
    with database.read() as connection:
        row = connection.execute(sa.select(preparations).where(preparations.c.key == key)).mappings().one_or_none()
    return None if row is None else Preparation(**row)


def save_preparation(database: Database, preparation: Preparation) -> Preparation:
    """Keep a preparation, in the place of an older one of its key; return it as it is stored."""
    now = time.time()
    saved = replace(preparation, created_at=now, updated_at=now)

    def work(connection: sa.Connection) -> Preparation:
        same = preparations.c.key == saved.key
        first = connection.scalar(sa.select(preparations.c.created_at).where(same))
        kept = saved if first is None else replace(saved, created_at=first)
        connection.execute(sa.delete(preparations).where(same))
        connection.execute(preparations.insert().values(**asdict(kept)))
        return kept

    return database.write(work)
