"""Files of the ProxylessNAS and once-for-all latency tables, read strictly: nothing in them is executed.

Each row is a key and a mean latency in milliseconds. Two kinds of file hold them, plain or gzipped:
- the published YAML, `key: {mean: ms, ...}`, one file a resolution, whose unit is fixed;
- JSON, `{"unit": "ms", "device": ..., "table": {key: [mean, ...]}}` or, for several resolutions,
  `{"unit": "ms", "device": ..., "by_resolution": {"224": {key: [mean, ...]}, ...}}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hardware_models.strict_json import Field, parse
from hardware_models.text_file import read_text

MOST_ROWS = 100_000
SLOWEST_MS = 1e6
FASTEST_MS = 1e-9


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a table.

    Attributes:
      place: the file, and the line or path of the entry, for messages.
      key: as it stands.
      mean_ms: its mean latency.
      samples: how many measurements the mean is of; 0 where the file does not say.
    """

    place: str
    key: str
    mean_ms: float
    samples: int = 0


Tables = list[list[Row]]
"""The rows of each table of a file: of each resolution."""


def read_rows(path: Path) -> tuple[str, Tables]:
    """Return what a file calls its device, empty if nothing, and the rows of its tables, of which none is empty.

    Of a folder it is the rows of all its `.yaml` files.

    Raises:
      OSError: for a file that cannot be read.
      ValueError: for one that is neither kind of file, for a row that stands twice, and for one whose mean is missing
        or no positive number of milliseconds; the message holds the file and the line or path.
    """
    if path.is_dir():
        found = [rows for file in sorted(path.glob("*.yaml")) for rows in read_rows(file)[1]]
        if not found:
            raise ValueError(f"{path}: there is no .yaml file in this folder")
        return "", found
    if not path.exists():
        raise FileNotFoundError(f"no latency table at {str(path)!r}: give the path of the published file")
    text = read_text(path)
    if text.lstrip().startswith("{"):
        name, tables = _json_tables(text, path.name)
    else:
        name, tables = "", [list(_yaml_rows(text, path.name))]
    if not tables or not all(tables):
        raise ValueError(f"{path.name}: a table has no entries")
    return name, tables


def _json_tables(text: str, name: str) -> tuple[str, Tables]:
    required, optional = frozenset({"unit", "device"}), frozenset({"table", "by_resolution", "key_format"})
    document = parse(text, name).members(required, optional)
    if document["unit"].value != "ms":
        document["unit"].refuse('"ms"')
    if ("table" in document) == ("by_resolution" in document):
        raise ValueError(f'{name}: expected one of "table" and "by_resolution"')
    fields = [document["table"]] if "table" in document else [t for _, t in document["by_resolution"].mapping(1_000)]
    return document["device"].text(), [list(_json_rows(field)) for field in fields]


def _json_rows(field: Field) -> Iterator[Row]:
    """Yield rows of `key: [mean, spread]` or `key: [mean, spread, samples]`."""
    for key, value in field.mapping(MOST_ROWS):
        numbers = value.items(3, 1)
        samples = numbers[2].integer(0, 10**9) if len(numbers) > 2 else 0
        yield Row(value.path, key.text(), numbers[0].number(FASTEST_MS, SLOWEST_MS), samples)


def _yaml_rows(text: str, name: str) -> Iterator[Row]:
    """Yield rows of `key: {mean: ms, count: samples, ...}`; the nodes are read, and no object is made of them."""
    import yaml  # type: ignore[import-untyped]

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        raise ValueError(f"{name}: not valid YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(root, yaml.MappingNode):
        raise ValueError(f"{name}: expected a mapping of keys to entries")
    seen: set[str] = set()
    for key, value in root.value[: MOST_ROWS + 1]:
        place = f"{name}, line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.MappingNode):
            raise ValueError(f"{place}: expected a key and a mapping with its `mean`")
        if key.value in seen or len(seen) == MOST_ROWS:
            raise ValueError(f"{place}: the key {key.value!r} stands twice, or there are over {MOST_ROWS} of them")
        seen.add(key.value)
        entry = {part.value: number.value for part, number in value.value if isinstance(part, yaml.ScalarNode)}
        yield _yaml_row(place, key.value, entry)


def _yaml_row(place: str, key: str, entry: dict[object, object]) -> Row:
    if "mean" not in entry:
        raise ValueError(f"{place}: the entry of {key!r} has no `mean`")
    try:
        mean_ms, samples = float(str(entry["mean"])), int(str(entry.get("count", 0)))
    except ValueError:
        mean_ms, samples = 0.0, 0
    if not FASTEST_MS <= mean_ms <= SLOWEST_MS or samples < 0:
        raise ValueError(f"{place}: expected `mean` as a positive number of milliseconds, got {entry['mean']!r}")
    return Row(place, key, mean_ms, samples)
