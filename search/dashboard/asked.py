"""What every endpoint takes: the store, and the study that the path names."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request

from search.dashboard.security import Access
from search.dashboard.store import Opened, Store

Name = Annotated[str, Path(max_length=128, description="The study's name.")]


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def _access(request: Request) -> Access:
    access: Access = request.app.state.access
    return access


StoreOf = Annotated[Store, Depends(_store)]
AccessOf = Annotated[Access, Depends(_access)]


def _study(study: Name, store: StoreOf) -> Opened:
    return store.study(study)


StudyOf = Annotated[Opened, Depends(_study)]
