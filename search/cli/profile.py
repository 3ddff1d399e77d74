"""`profile`: measure the operators of a space on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search.cli.command import command, json_option, output, storage_option
from search.cli.known_devices import check_device_name
from search.cli.output import Column, Output
from search.cli.progress import ProgressLine
from search.cli.runs import results_folder
from search.cli.stored import shown_storage, storage_hint
from search.metric_names import duration, number

if TYPE_CHECKING:
    from hardware_models.latency_table import LatencyTable
    from hardware_models.op import Op
    from search.cli.latency import Setup
    from search.cli.measuring import Measured
    from spaces.genotype import GenotypeSpace


SHOWN = 40
"""How many operators are printed for people."""


def _device(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else check_device_name(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@command("profile", example="profile nasbench201\n"
    "profile mbconv --engine onnxruntime --batch 8 --resolution 32\n"
    "profile my_study.py --device laptop --threads 2 --validate 40")  # fmt: skip
@click.argument("what", metavar="STUDY|SPACE")
@click.option("--device", metavar="NAME", callback=_device, help="The name of the table's device; this machine's id.")
@click.option("--engine", metavar="NAME", help="What runs the operators, e.g. torch, onnxruntime, torch_cuda.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads of the engine.")
@click.option("--batch", type=click.IntRange(min=1), metavar="N", help="Images in each call.")
@click.option("--resolution", type=click.IntRange(min=1), metavar="R", help="Side of the images, for a SPACE.")
@click.option("--rounds", type=click.IntRange(min=2), default=20, show_default=True, metavar="N", help="At most.")
@click.option("--validate", type=click.IntRange(min=0), default=20, show_default=True, metavar="N",
              help="Networks that the table is tried on; 0 for none.")  # fmt: skip
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where the picture goes; DEVICE-ENGINE-latency.png beside the database by default.")  # fmt: skip
@storage_option
@json_option
def profile(
    *, what: str, device: str | None, engine: str | None, threads: int | None, batch: int | None,
    resolution: int | None, rounds: int, validate: int, plot: Path | None, storage: str, json: bool,
) -> None:  # fmt: skip
    """Measure every operator of a study's space, or of a space, on this machine, and store the latency table.

    So is each that the study's preparations need beside. The table is tried on networks of the space that it was made
    without, and marked where it is worse than the noise of the measurements allows. A launch uses the newest stored
    table of this machine that fits its engine, threads and batch.
    """
    from search.cli.latency import cover_space
    from search.cli.measuring import measure_and_validate
    from search.cli.tables import keep
    from search.cli.validation_report import print_validation, record
    from search.plots import check_picture_path
    from search.storage import open_storage

    out, began = output(json=json), time.monotonic()
    if plot is not None:
        check_picture_path(plot)
    space, setup, more = _what_to_measure(what, resolution)
    setup = replace(
        setup,
        engine=engine or setup.engine,
        threads=threads or setup.threads,
        batch=batch or setup.batch,
        rounds=rounds,
    )
    progress = ProgressLine(live=out.live)
    with closing(open_storage(storage)) as store:
        try:
            measured = measure_and_validate(space, cover_space(space), setup, validate, progress.message, more=more)
        finally:
            progress.close()
        measured = measured.named(device) if device else measured
        kept = keep(store, measured.table)
    picture = _draw(what, measured, plot, results_folder(storage))
    out.document(
        {"what": what, "table": _record(measured.table), "validation": record(measured, picture),
         "sha256": kept.sha256, "storage": shown_storage(storage)}
    )  # fmt: skip
    print_table(out, measured.table)
    print_validation(out, measured.table, picture)
    out.line(f"stored in {shown_storage(storage)} after {duration(time.monotonic() - began)}")
    out.line(f"all tables: python -m search devices{storage_hint(storage)}")


def _what_to_measure(what: str, resolution: int | None) -> tuple[GenotypeSpace, Setup, tuple[Op, ...]]:
    """Return a study's space, how it wants latencies measured, and operators that its preparations need beside.

    Of a space's name it is that space, the defaults and none.

    A name that both have is the study's, but with a resolution the space's: a study's images are its file's.
    """
    from search.cli.latency import Setup, setup_of
    from search.cli.space_argument import own_space, study_of
    from search.study_file import shipped_studies
    from spaces.genotype import GenotypeSpace

    make = own_space(what) if resolution is not None or what not in shipped_studies() else None
    if make is not None:
        return GenotypeSpace(_sized(what, make, resolution)), Setup(engine=_usual_engine()), ()
    if resolution is not None:
        raise ValueError(f"--resolution {resolution}: {what!r} is no space of this project; give the name of one")
    definition = study_of(what)
    asking = [each.operators for each in definition.preparations if hasattr(each, "operators")]
    return definition.space, setup_of(definition), tuple(op for ask in asking for op in ask(definition.space))


def _sized(name: str, make: Callable[..., Any], resolution: int | None) -> Any:
    """Return a space on images of this side, or on its own. Raises ValueError if it has no such side."""
    from inspect import signature

    if resolution is None:
        return make()
    arguments = signature(make).parameters
    if "resolution" in arguments:
        return make(resolution=resolution)
    if "resolutions" in arguments:
        return make(resolutions=[resolution])
    if "image" in arguments:
        return make(image=(arguments["image"].default[0], resolution, resolution))
    raise ValueError(f"--resolution {resolution}: the space {name!r} has images of one size, or none")


def _usual_engine() -> str:
    """Return the engine for a space of which no study says it: of a GPU where there is one."""
    from hardware_models.engines import unavailable

    return "torch" if unavailable("torch_cuda") else "torch_cuda"


def _draw(what: str, measured: Measured, plot: Path | None, folder: Path) -> Path | None:
    """Draw predicted against measured latencies; return where, or None where there is nothing to draw."""
    from search.cli.validation_report import summary
    from search.latency_picture import draw_latencies

    origin, report = measured.table.provenance, measured.table.validation
    if report is None:
        return None
    path = plot or folder / f"{origin.device}-{origin.engine}-latency.png"
    title = f"{Path(what).stem} on {origin.device}, {origin.engine}"
    draw_latencies(title, measured.predicted_ms, measured.measured_ms, summary(report), path)
    return path


def print_table(out: Output, table: LatencyTable) -> None:
    """Print each entry with its spread, the dearest first, and what the calibration is worth."""
    entries = sorted(table.entries.items(), key=lambda item: -item[1].latency_ms)[:SHOWN]
    columns = [Column("operator"), Column("input"), Column("output"), Column("latency (µs)", True),
               Column("halves differ (%)", True), Column("samples", True)]  # fmt: skip
    rows = [
        [op_text(op), _shape(op.inputs[0]), _shape(op.output), number(1000 * entry.latency_ms),
         f"{100 * _apart(entry.halves_ms):.1f}", str(entry.samples)]
        for op, entry in entries
    ]  # fmt: skip
    out.table(columns, rows)
    if len(entries) < len(table.entries):
        out.line(f"and {len(table.entries) - len(entries)} faster ones; --json prints all")
    fit = table.calibration
    if fit.validation is not None:
        check = fit.validation
        out.line(
            f"calibrated on {fit.anchors} whole networks: latency = {fit.scale:.3f} x sum + "
            f"{1000 * fit.per_layer_ms:.2f} µs x layers + {1000 * fit.per_op_ms:.2f} µs x operators + "
            f"{1000 * fit.offset_ms:.1f} µs"
        )
        tau = "-" if check.kendall_tau is None else f"{check.kendall_tau:.3f}"
        truth = "-" if check.truth_mape is None else f"{100 * check.truth_mape:.1f} %"
        out.line(
            f"leave-one-out: mean error {100 * check.mape:.1f} %, largest {100 * check.max_error:.1f} %, "
            f"Kendall tau {tau}; the measurements' own halves differ by {truth}"
        )
    origin = table.provenance
    out.line(
        f"{origin.device_name}, {origin.engine} {origin.engine_version}, {origin.threads} thread(s), "
        f"batch {origin.batch}, {origin.rounds} rounds, {origin.clock} clock, load {origin.load_average:.1f}, "
        f"noise {100 * origin.noise:.1f} %"
    )


def _apart(halves_ms: tuple[float, float]) -> float:
    """Return how far two halves are apart, relative to their mean; 0 for imported latencies of 0."""
    mean = sum(halves_ms) / 2
    return abs(halves_ms[0] - halves_ms[1]) / mean if mean else 0.0


def op_text(op: Op) -> str:
    """Return an operator in a few words, e.g. `relu_conv_bn 3x3 /2 g16`."""
    from hardware_models.op import directions

    inner = max((part for part in op.inner if part.kind == "conv2d"), key=lambda part: part.kernel, default=op)
    parts = [op.kind]
    parts += ["x".join(map(str, directions(inner)[0]))] if inner.kernel else []
    parts += [f"/{inner.stride}"] if inner.stride > 1 else []
    parts += [f"g{inner.groups}"] if inner.groups > 1 else []
    return " ".join(parts)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _record(table: LatencyTable) -> dict[str, Any]:
    """Return the table as plain values: the document that is stored."""
    import json

    document: dict[str, Any] = json.loads(table.to_json())
    return document
