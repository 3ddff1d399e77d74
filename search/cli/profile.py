"""`profile`, `devices`: measure the operators of a space on this machine; the tables that are stored."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from search.cli.command import command, json_option, output, storage_option
from search.cli.output import Column, Output
from search.cli.progress import ProgressLine
from search.cli.stored import existing_storage, not_made_yet, shown_storage, storage_hint
from search.metric_names import duration, number

if TYPE_CHECKING:
    from hardware_models.latency_table import LatencyTable
    from hardware_models.op import Op
    from search.cli.latency import Setup
    from spaces.genotype import GenotypeSpace


SHOWN = 40
"""How many operators are printed for people."""


@command("profile", example="profile nasbench201\nprofile mbconv --engine onnxruntime --batch 8")
@click.argument("what", metavar="STUDY|SPACE")
@click.option("--engine", type=click.Choice(["torch", "onnxruntime"]), help="What runs the operators.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads of the engine.")
@click.option("--batch", type=click.IntRange(min=1), metavar="N", help="Images in each call.")
@click.option("--rounds", type=click.IntRange(min=2), default=20, show_default=True, metavar="N", help="At most.")
@storage_option
@json_option
def profile(
    *, what: str, engine: str | None, threads: int | None, batch: int | None, rounds: int, storage: str, json: bool
) -> None:
    """Measure every operator of a study's space, or of a space, on this machine, and store the latency table.

    A launch uses the newest stored table of this machine that fits its engine, threads and batch.
    """
    from search.cli.latency import cover_space, keep, measure_table
    from search.storage import open_storage

    out, began = output(json=json), time.monotonic()
    space, setup = _space_and_setup(what)
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
            table = measure_table(space, cover_space(space), setup, progress.message)
        finally:
            progress.close()
        kept = keep(store, table)
    out.document({"what": what, "table": _record(table), "sha256": kept.sha256, "storage": shown_storage(storage)})
    _print_table(out, table)
    out.line(f"stored in {shown_storage(storage)} after {duration(time.monotonic() - began)}")
    out.line(f"all tables: python -m search devices{storage_hint(storage)}")


@command("devices", example="devices")
@storage_option
@json_option
def devices(storage: str, json: bool) -> None:
    """List this machine and the devices whose latency tables are stored."""
    from hardware_models.device import this_device

    out, here = output(json=json), this_device()
    stored = []
    if not not_made_yet(storage):
        with existing_storage(storage) as store:
            stored = store.latency_tables()
    records = [
        {"device": table.device, "engine": table.engine, "threads": table.threads, "batch": table.batch,
         "created_at": table.created_at, "sha256": table.sha256, "this_machine": table.device == here.id}
        for table in stored
    ]  # fmt: skip
    out.document({"this": {"id": here.id, "name": here.name, "fingerprint": here.fingerprint}, "tables": records})
    out.line(f"this machine: {here.name} ({here.id})")
    if not stored:
        out.line("no latency tables are stored; measure one: python -m search profile nasbench201")
        return
    columns = [Column("device"), Column("engine"), Column("threads", True), Column("batch", True), Column("measured")]
    rows = [
        [table.device, table.engine, str(table.threads), str(table.batch),
         f"{duration(max(time.time() - table.created_at, 0.0))} ago"] for table in stored
    ]  # fmt: skip
    out.table(columns, rows)


def _space_and_setup(what: str) -> tuple[GenotypeSpace, Setup]:
    """Return a study's space and how it wants latencies measured; of a space's name, that space and the defaults."""
    from search.cli.catalog import modules_of
    from search.cli.latency import Setup, setup_of
    from search.study_file import load_study_file, shipped_studies
    from spaces.genotype import GenotypeSpace

    own = {entry.name for entry in modules_of("spaces", "nas_search.spaces") if entry.source == f"spaces.{entry.name}"}
    if what in own and what not in shipped_studies():
        from importlib import import_module

        return GenotypeSpace(getattr(import_module(f"spaces.{what}"), what)()), Setup()
    definition = load_study_file(what)
    return definition.space, setup_of(definition)


def _print_table(out: Output, table: LatencyTable) -> None:
    """Print each entry with its spread, the dearest first, and what the calibration is worth."""
    entries = sorted(table.entries.items(), key=lambda item: -item[1].latency_ms)[:SHOWN]
    columns = [Column("operator"), Column("input"), Column("output"), Column("latency (µs)", True),
               Column("halves differ (%)", True), Column("samples", True)]  # fmt: skip
    rows = [
        [op_text(op), _shape(op.inputs[0]), _shape(op.output), number(1000 * entry.latency_ms),
         f"{100 * abs(entry.halves_ms[0] - entry.halves_ms[1]) / (sum(entry.halves_ms) / 2):.1f}", str(entry.samples)]
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


def op_text(op: Op) -> str:
    """Return an operator in a few words, e.g. `relu_conv_bn 3x3 /2 g16`."""
    inner = max((part for part in op.inner if part.kind == "conv2d"), key=lambda part: part.kernel, default=op)
    parts = [op.kind]
    parts += [f"{inner.kernel}x{inner.kernel}"] if inner.kernel else []
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
