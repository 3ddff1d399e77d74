"""Which modules a page's script needs, so that the browser can ask for all of them at once instead of wave by wave."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*["'](\.[^"']+)["']""", re.MULTILINE)


@cache
def modules_of(*scripts: str) -> tuple[str, ...]:
    """Return the paths under `static` of some scripts and of all that they import, each once, the scripts first."""
    found = list(scripts)
    for name in found:  # it grows meanwhile
        path = STATIC / name
        for imported in IMPORT.findall(path.read_text()):
            inner = (path.parent / imported).resolve().relative_to(STATIC.resolve()).as_posix()
            if inner not in found:
                found.append(inner)
    return tuple(found)
