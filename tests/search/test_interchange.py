"""Export and import of a study: exact, in whole or not at all, and nothing that a file holds is trusted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored_study import RegularizedEvolution, drive, make_study, rows

from search.errors import StudyNotFound
from search.storage import Storage, open_storage
from search.study import Study
from search.trials import Outcome

PICKLE = {
    "_type": "pyglove.core.utils.json_conversion._OpaqueObject",
    "value": "gASVGQAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOU",
}


def exported(storage: Storage, folder: Path) -> Path:
    """Return the file of a study with every kind of row in it."""
    table = storage.save_latency_table('{"b": "ü"}', device="cpu-1", engine="torch")
    digest = next(item.sha256 for item in storage.latency_tables() if item.id == table)
    changes: dict[str, Any] = {"settings": {"latency_table": {"sha256": digest}}, "constraints": ["latency_ms <= 5"]}
    with make_study(storage, algorithm=RegularizedEvolution(5, 2), max_trials=30, **changes) as study:
        drive(study, batch=4)
    with make_study(storage, algorithm=RegularizedEvolution(5, 2), max_trials=40, **changes) as study:
        trials = study.ask(5)
        study.report(trials[0], {"accuracy": 1 / 3}, 0)
        study.requeue(trials[0], "worker lost")
        study.tell_many([Outcome(trials[1], {"accuracy": float("nan")}, elapsed_s=0.25, worker="ü", log="a\nü")])
    storage.export_study("s", folder / "s.jsonl")
    return folder / "s.jsonl"


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The documents of an exported study."""
    folder = tmp_path_factory.mktemp("exported")
    with open_storage(f"sqlite:///{folder}/a.db") as storage:
        return [json.loads(line) for line in exported(storage, folder).read_text().splitlines()]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """A storage into which nothing gets in."""
    with open_storage(f"sqlite:///{tmp_path_factory.mktemp('empty')}/b.db") as storage:
        yield storage
        assert storage.studies() == []
        assert storage.latency_tables() == []


def test_a_file_that_is_cut_between_two_lines_is_refused(
    empty: Storage, tmp_path: Path, lines: list[dict[str, Any]]
) -> None:
    with pytest.raises(ValueError, match="is cut short: it holds 3 of 35 trials; save it again"):
        imported(empty, tmp_path, text_of(lines[:4]))


def imported(storage: Storage, folder: Path, text: str | bytes) -> str:
    """Import a file of this text."""
    (folder / "in.jsonl").write_bytes(text if isinstance(text, bytes) else text.encode())
    return storage.import_study(folder / "in.jsonl")


def text_of(lines: list[dict[str, Any]]) -> str:
    """Return documents as a file's text."""
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_export_import_export_gives_the_same_bytes(storage: Storage, tmp_path: Path) -> None:
    file = exported(storage, tmp_path)
    with open_storage(f"sqlite:///{tmp_path}/other.db") as other:
        assert other.import_study(file) == "s"
        other.export_study("s", tmp_path / "again.jsonl")
        assert [table.document for table in other.latency_tables()] == ['{"b": "ü"}']
        assert Study.open(other, "s").log(31) == "a\nü"
    assert (tmp_path / "again.jsonl").read_bytes() == file.read_bytes()


def test_an_imported_study_goes_on_as_the_original_would(storage: Storage, tmp_path: Path) -> None:
    file = exported(storage, tmp_path)
    storage.import_study(file, "copy")
    found = []
    for name in ("s", "copy"):
        with make_study(
            storage, name, algorithm=RegularizedEvolution(5, 2), max_trials=60, constraints=["latency_ms <= 5"]
        ) as study:
            drive(study)
            found.append((repr(rows(study)), study.front().numbers.tolist()))
    assert found[0] == found[1]


def test_an_imported_study_reads_as_the_original(storage: Storage, tmp_path: Path) -> None:
    storage.import_study(exported(storage, tmp_path), "copy")
    original, copy = Study.open(storage, "s"), Study.open(storage, "copy")
    assert copy.counts() == original.counts()
    assert copy.front().numbers.tolist() == original.front().numbers.tolist()
    assert rows_text(copy) == rows_text(original)
    assert copy.measurements(30) == original.measurements(30)


def rows_text(study: Any) -> str:
    """Return a study's data frame as text, in which missing values are equal."""
    return str(study.to_pandas().to_csv())


def test_a_name_that_is_taken_is_refused(storage: Storage, tmp_path: Path) -> None:
    file = exported(storage, tmp_path)
    with pytest.raises(ValueError, match=r"a study 's' is stored already; import .* under another name"):
        storage.import_study(file)


def test_an_unknown_study_leaves_no_file(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(StudyNotFound, match="there is no study 'x'"):
        storage.export_study("x", tmp_path / "x.jsonl")
    assert not list(tmp_path.glob("*x.jsonl*"))


def set_at(*path: Any) -> Callable[[list[Any], Any], None]:
    """Return a function that puts a value at a place in the documents."""

    def put(lines: list[Any], value: Any) -> None:
        target: Any = lines
        for part in path[:-1]:
            target = target[part]
        target[path[-1]] = value

    return put


PLACES = [
    (0,),
    (0, "study", "name"),
    (0, "study", "space"),
    (0, "study", "space", "columns", 0),
    (0, "study", "space", "columns", 0, "choices"),
    (0, "study", "objectives"),
    (0, "study", "constraints", 0),
    (0, "study", "seed"),
    (0, "progress"),
    (3,),
    (3, "trial"),
    (3, "trial", "genotype"),
    (3, "trial", "genotype", 1),
    (3, "trial", "state"),
    (3, "trial", "reason"),
    (3, "trial", "metrics"),
    (3, "trial", "metrics", "accuracy"),
    (3, "trial", "measurements"),
    (3, "trial", "told"),
    (-1, "latency_table", "document"),
    (-1, "latency_table", "threads"),
]
HOSTILE = [PICKLE, {"_type": "function", "name": "os.system"}, [PICKLE], {"a": PICKLE}, True, -(10**400), [[[]]], 1e999]


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: str(value)[:20])
def test_hostile_values_are_refused_with_file_and_line(
    empty: Storage, tmp_path: Path, lines: list[dict[str, Any]], place: tuple[Any, ...], value: Any
) -> None:
    changed = json.loads(json.dumps(lines))
    set_at(*place)(changed, value)
    line = place[0] % len(lines) + 1
    with pytest.raises(ValueError, match=rf"in\.jsonl, line {line}: ") as caught:
        imported(empty, tmp_path, text_of(changed))
    assert "\n" not in str(caught.value)
    assert empty.studies() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "line 1: the first line is None"),
        (b"{", "line 1: it is not JSON"),
        (b"\xff\xfe", "line 1: .*can't decode"),
        (b"[" * 100_000, "line 1: it is nested too deep"),
        (b'{"a": NaN}', "line 1: it holds NaN: expected finite numbers"),
        (b'{"format": 1, "format": 2}', "line 1: it holds a key twice"),
        (b'{"format": "other"}', "not the beginning of an exported study"),
        (b"9" * 5000, "line 1: "),
    ],
)
def test_a_file_that_is_no_study_is_refused(empty: Storage, tmp_path: Path, text: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        imported(empty, tmp_path, text)


def test_trials_must_stand_in_order_and_end_once(empty: Storage, tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="line 3: field 'number' of field 'trial' of the line is 2: expected"):
        imported(empty, tmp_path, text_of([*lines[:2], *lines[3:]]))
    twice = json.loads(json.dumps(lines[:3]))
    twice[2]["trial"]["told"] = twice[1]["trial"]["told"]
    with pytest.raises(ValueError, match="line 3: trial 1 finished as number"):
        imported(empty, tmp_path, text_of(twice))


def test_an_unknown_field_and_another_version_are_refused(
    empty: Storage, tmp_path: Path, lines: list[dict[str, Any]]
) -> None:
    with pytest.raises(ValueError, match="line 2: field 'trial' of the line has an unknown field 'x'"):
        imported(empty, tmp_path, text_of([lines[0], {"trial": {**lines[1]["trial"], "x": 1}}]))
    with pytest.raises(ValueError, match="field 'version' of the first line is 2: expected an integer from 1 to 1"):
        imported(empty, tmp_path, text_of([{**lines[0], "version": 2}]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), value=JSON)
def test_any_other_value_is_refused_or_harmless(
    empty: Storage, tmp_path: Path, lines: list[dict[str, Any]], place: tuple[Any, ...], value: Any
) -> None:
    changed = json.loads(json.dumps(lines[:5]))
    set_at(*place)(changed, value) if "latency_table" not in place else None
    try:
        name = imported(empty, tmp_path, text_of(changed))
    except ValueError:
        return
    Study.open(empty, name).to_pandas()
    empty.delete(name)
