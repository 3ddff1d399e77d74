"""`export`: a trial's network as files that need none of this project."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hardware_models.architecture import architecture_of
from search.cli.command import command, json_option, name_argument, output, storage_option
from search.cli.stored import definition_of, existing_storage, shown_storage, stored_study
from search.cli.tables import run_with, table_used
from search.cli.trial_rows import view
from search.metric_names import measured
from search.study_tables import metric_of, tables_used

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.cli.savings import Saving
    from search.export import Winner
    from search.model_card import Card
    from search.study_file import StudyDefinition
    from search.study_view import StudyView


@command("export", example="export nasbench201 --trial 42 --to winner")
@name_argument
@click.option("--trial", type=click.IntRange(min=0), required=True, metavar="N", help="The trial's number.")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR",
              help="Where the files go; made if need be.")  # fmt: skip
@click.option("--study", "file", metavar="FILE", help="The study file; by default the one that was launched.")
@storage_option
@json_option
def export(*, name: str, trial: int, folder: Path, file: str | None, storage: str, json: bool) -> None:
    """Write a trial's network: a PyTorch program and its weights, ONNX, symbolic JSON, a model card.

    The study file is run again, for its space: it must be the one that the study was launched with. A pruned network
    is measured beside the whole one that it was made from.
    """
    from search.attempt import trial_seed
    from search.export import WEIGHTS, Winner
    from search.export import export as write

    out = output(json=json)
    with stored_study(storage, name) as study:
        table = study.trials(numbers=[trial])
        if not len(table):
            raise ValueError(f"study {name!r} has no trial {trial}: it has {sum(study.counts().values()):,}, from 0")
        definition = definition_of(study, file)
        seed, weights = trial_seed(study.seed, trial), weights_of(study, trial, storage)
        winner = Winner(definition.space, table.genotypes[0], seed, weights)
        saved = _savings(study, winner, definition, storage)
        files = write(winner, _card(study, trial, definition, storage, saved), folder)
    document = {"study": name, "trial": trial, "files": [str(path) for path in files]}
    out.document(document | {"savings": [saving.record() for saving in saved]})
    for path in files:
        out.line(f"{path}  {path.stat().st_size / 1024:,.0f} KiB")
    for saving in saved:
        out.line(f"latency: {saving}")
    if weights is None and folder / WEIGHTS in files:
        out.note(f"the weights are not trained: trial {trial} has no checkpoint of its own")
    out.line(f"read first: {folder / 'README.md'}")


def _savings(study: StudyView, winner: Winner, definition: StudyDefinition, storage: str) -> list[Saving]:
    """Return what a pruned network saves on this machine; nothing for another one."""
    from search.cli.savings import savings

    architecture = architecture_of(winner.space.decode(winner.genotype))
    usual = {"engine": definition.engine, "threads": definition.threads, "batch": definition.batch}
    with existing_storage(storage) as store:
        stored = {name: table_used(store, facts) for name, facts in tables_used(study.settings).items()}
    return savings(architecture, usual, {name: table for name, table in stored.items() if table is not None})


def weights_of(study: StudyView, trial: int, storage: str) -> Path | None:
    """Return the file of weights that the trial trained and kept, or None."""
    from search.cli.runs import runs_folder

    kept = study.settings.get("runs")
    folders = [Path(kept)] if isinstance(kept, str) else []
    files = [folder / str(trial) / "checkpoint.pt" for folder in (*folders, runs_folder(study.name, storage))]
    return next((file for file in files if file.is_file()), None)


def _card(
    study: StudyView, trial: int, definition: StudyDefinition, storage: str, saved: Sequence[Saving] = ()
) -> Card:
    """Return the model card's contents."""
    import sys

    import torch

    from search.model_card import Card

    table = study.trials(numbers=[trial])
    record = view(study, table).record(table, 0)
    architecture = architecture_of(definition.space.decode(table.genotypes[0]))
    facts = {
        "study": f"{study.name}: {study.settings.get('description', '')}".rstrip(": "),
        "study file": str(study.settings.get("study_file", "")),
        "evaluator": str(study.settings.get("evaluator", "")),
        "state of the trial": str(record["state"]),
        "space fingerprint": study.fingerprint,
        "storage": shown_storage(storage),
        "exported": f"{datetime.now(UTC).isoformat(timespec='seconds')} with PyTorch {torch.__version__}, "
        f"Python {sys.version.split()[0]}",
    }
    facts |= {f"latency {number}" if number else "latency": str(saving) for number, saving in enumerate(saved)}
    return Card(
        study=study.name,
        trial=trial,
        metrics=record["metrics"],
        origins=_origins(study),
        decisions=record["decisions"],
        input_shape=tuple(getattr(architecture, "input_shape", ())),
        facts=facts,
    )


def _origins(study: StudyView) -> dict[str, str]:
    """Return where metrics come from that no evaluator gave."""
    origins = dict.fromkeys(("macs", "params"), "counted from the network's operators")
    for name, table in tables_used(study.settings).items():
        engine = f"{table.get('device_name')} with {table.get('engine')} {table.get('engine_version')}".rstrip()
        device = ", ".join([engine, *run_with(table.get("threads"), table.get("batch"))])
        origins[metric_of(name)] = f"predicted by the latency table {table['sha256'][:12]} of {device}"
        origins[measured(metric_of(name))] = f"measured directly on {device}"
    return origins
