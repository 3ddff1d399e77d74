"""The device models that come with the project: documents in `shipped/`."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "shipped"


def shipped_documents() -> list[str]:
    """Return the shipped models' documents in the order of their files' names; `load_model` reads them."""
    return [path.read_text("utf-8") for path in sorted(FOLDER.glob("*.json"))]
