"""What tests of stored studies share: a database of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import new_database, postgres, postgres_url

from search.storage import Storage, open_storage

__all__ = ["postgres", "postgres_url"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/search.db"
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture
def storage(url: str) -> Iterator[Storage]:
    """An opened storage, of each kind in turn."""
    with open_storage(url, timeout_s=5.0) as opened:
        yield opened
