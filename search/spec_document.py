"""A PyGlove specification of a space as plain JSON, and back: so that a stored DNA can be read without its program."""

from __future__ import annotations

from typing import Any

import pyglove as pg

LABEL_LIMIT = 200


def spec_document(spec: pg.DNASpec) -> dict[str, Any]:
    """Return the decisions of a specification as plain values, without hints. Raises ValueError for custom ones."""
    if isinstance(spec, pg.geno.Space):
        return {"elements": [spec_document(element) for element in spec.elements]}
    document: dict[str, Any] = {"location": str(spec.location), "name": spec.name}
    if isinstance(spec, pg.geno.Float):
        return {**document, "low": spec.min_value, "high": spec.max_value, "scale": spec.scale}
    if isinstance(spec, pg.geno.Choices):
        labels = [value if isinstance(value, int | float) else str(value)[:LABEL_LIMIT]
                  for value in spec.literal_values or []]  # fmt: skip
        candidates = [spec_document(candidate) for candidate in spec.candidates]
        rules = {"count": spec.num_choices, "distinct": spec.distinct, "sorted": spec.sorted}
        return {**document, **rules, "candidates": candidates, "labels": labels}
    raise ValueError(f"decision {spec!r:.200} is of a kind of its own: expected a choice or a float")


def spec_of(document: dict[str, Any]) -> pg.DNASpec:
    """Return the specification that a document describes. Raises ValueError, KeyError or TypeError for another one."""
    if "elements" in document:
        return pg.geno.space([spec_of(element) for element in document["elements"]])
    where = {"location": pg.KeyPath.parse(document["location"]), "name": document["name"]}
    if "low" in document:
        return pg.geno.floatv(document["low"], document["high"], scale=document["scale"], **where)
    return pg.geno.manyof(
        document["count"],
        [spec_of(candidate) for candidate in document["candidates"]],
        literal_values=document["labels"] or None,
        distinct=document["distinct"],
        sorted=document["sorted"],
        **where,
    )
