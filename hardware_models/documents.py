"""Stored hardware models: a JSON document says of what kind it is, and is read as that and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from hardware_models.genotype_table_json import LEARNED, LISTED, load_learned, load_listed
from hardware_models.latency_table import LatencyTable
from hardware_models.learned_table import LearnedTable
from hardware_models.listed_table import ListedTable
from hardware_models.strict_json import parse

DeviceModel = LatencyTable | LearnedTable | ListedTable
"""What is stored of a device: a table of operators, or a model of a space's genotypes."""

_LOADERS: dict[str, Callable[[str | bytes], DeviceModel]] = {LEARNED: load_learned, LISTED: load_listed}


def load_model(document: str | bytes) -> DeviceModel:
    """Return the model that `to_json` of any kind wrote; a document without `format` is a table of operators.

    Raises:
      ValueError: for anything else; one line that names the field. Nothing in a document is executed.
    """
    content = parse(document, "latency table").value
    if not isinstance(content, dict) or "format" not in content:
        return LatencyTable.from_json(document)
    kind = content["format"]
    if not isinstance(kind, str) or kind not in _LOADERS:
        raise ValueError(f"latency table.format: expected one of {', '.join(_LOADERS)}, got {ascii(kind)[:60]}")
    return _LOADERS[kind](document)
