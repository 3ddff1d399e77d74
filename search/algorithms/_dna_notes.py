"""What a generator keeps with a DNA, as text: written by PyGlove, read back as plain JSON values and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyglove as pg

    from spaces.genotype import GenotypeSpace

TUPLE = "__tuple__"


def note_of(dna: pg.DNA) -> str:
    """Return a DNA and its metadata as PyGlove's JSON text. Raises ValueError for metadata that it cannot write."""
    import pyglove as pg

    try:
        return str(pg.to_json_str(dna))
    except (TypeError, ValueError) as error:
        raise ValueError(f"the metadata of {dna!r} cannot be kept: expected plain values ({error})") from error


def dna_of(space: GenotypeSpace, genotype: np.ndarray, note: str) -> pg.DNA:
    """Return the DNA of a genotype, bound to the space's own specification, with the metadata of its note.

    Only numbers, texts, lists, tuples and mappings of them are taken from the note: no object is made of it.
    """
    dna = space.to_dna(genotype)
    document = json.loads(note) if note else {}
    kept = document.get("metadata", {}) if isinstance(document, dict) else {}
    cloned = document.get("_cloneable_metadata_keys", ()) if isinstance(document, dict) else ()
    for name, value in kept.items() if isinstance(kept, dict) else ():
        if is_plain(value):
            dna.set_metadata(name, plain(value), cloneable=name in cloned)
    return dna


def is_plain(value: Any) -> bool:
    """Return whether a JSON value is one that `plain` reads: no type is named in it."""
    if isinstance(value, dict):
        return "_type" not in value and all(is_plain(item) for item in value.values())
    return all(is_plain(item) for item in value) if isinstance(value, list) else True


def plain(value: Any) -> Any:
    """Return a JSON value that PyGlove wrote as Python's: its lists that begin with a mark are tuples."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return tuple(map(plain, value[1:])) if value[:1] == [TUPLE] else [plain(item) for item in value]
    return value
