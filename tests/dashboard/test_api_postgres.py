"""The same dashboard over PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.dashboard.security import Access
from search.dashboard.store import Store
from search.storage import open_storage
from tests.dashboard.asking import Asking
from tests.dashboard.demo_study import make_demo


@pytest.mark.postgres
def test_every_question_is_answered_by_postgresql_as_by_sqlite(api: Asking, postgres_url: str, tmp_path: Path) -> None:
    with open_storage(postgres_url) as storage:
        make_demo(storage, tmp_path)
    store = Store(postgres_url)
    asked = Asking(store, Access())
    for path in ("/effects", "/choices", "/front", "/trials?where=front&sort=accuracy", "/columns?names=number,state"):
        assert asked.json(f"/studies/mixed{path}") == api.json(f"/studies/mixed{path}"), path
    assert asked.json("/studies")["studies"][0]["best"] == api.json("/studies")["studies"][0]["best"]
    assert asked.json("/studies/mixed/trials/0")["metrics"] == api.json("/studies/mixed/trials/0")["metrics"]
    assert asked.json("/devices/phone")["sha256"] == api.json("/devices/phone")["sha256"]
    assert asked.change("PATCH", "/studies/mixed", {"note": "here"}).status_code == 200
    assert asked.json("/studies/mixed")["note"] == "here"
    with pytest.raises(Exception, match="read-only transaction"):
        store.reading.delete("mixed")
    assert asked.change("DELETE", "/studies/mixed").status_code == 204
    store.close()
