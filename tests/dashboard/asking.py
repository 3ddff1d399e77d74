"""The dashboard's application in this process, asked without a network, for the tests of the API."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search.cli.programs import StudyPrograms
from search.dashboard.app import create_app
from search.dashboard.security import Access
from search.dashboard.store import Store
from search.storage import open_storage
from tests.dashboard.demo_study import make_demo

with warnings.catch_warnings():  # Starlette would rather have httpx2, which few have yet
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

API = "/api/v1"
LOCAL = "http://127.0.0.1:8090"


class Asking(TestClient):
    """A client whose paths are the API's, and which knows the CSRF token.

    Attributes:
      store: what the application reads.
      headers_of_change: what a request that changes something must carry.
    """

    def __init__(self, store: Store, access: Access) -> None:
        super().__init__(create_app(store, access), LOCAL, follow_redirects=False)
        self.store = store
        self.headers_of_change = {"X-CSRF-Token": access.csrf}

    def json(self, path: str, **parameters: Any) -> Any:
        """Return what a GET of the API answers, which must be 200."""
        answer = self.get(API + path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def error(self, path: str, **parameters: Any) -> tuple[int, str]:
        """Return the status and the line that a refused GET of the API is answered with."""
        answer = self.get(API + path, params=parameters)
        return answer.status_code, answer.json()["error"]

    def change(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer to a request that changes something."""
        return self.request(method, API + path, json=body, headers=self.headers_of_change)


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the studies mixed and perceptrons, and the latter's study file."""
    folder = tmp_path_factory.mktemp("api")
    with open_storage(f"sqlite:///{folder}/search.db") as storage:
        make_demo(storage, folder)
    return folder


@pytest.fixture(scope="session")
def api(demo_folder: Path) -> Iterator[Asking]:
    """The dashboard of the demo, for questions; the study file of perceptrons is loaded."""
    programs = StudyPrograms([str(demo_folder / "perceptrons.py")])
    store = Store(f"sqlite:///{demo_folder}/search.db", programs=programs)
    yield Asking(store, Access())
    store.close()


@pytest.fixture
def own(demo_folder: Path, tmp_path: Path) -> Iterator[Asking]:
    """The dashboard of a copy of the demo, which a test may change."""
    shutil.copy(demo_folder / "search.db", tmp_path / "search.db")
    store = Store(f"sqlite:///{tmp_path}/search.db")
    yield Asking(store, Access())
    store.close()
