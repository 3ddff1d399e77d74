"""`devices`: the devices whose latencies are known, and moving their models in and out."""

from __future__ import annotations

import json as json_text
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search.cli.command import Command, command, in_a_sentence, json_option, output, storage_option
from search.cli.learned_devices import learn, onboard, suggest
from search.cli.output import Column, Output
from search.cli.stored import shown_storage, storage_hint

if TYPE_CHECKING:
    from hardware_models.comparison import Comparison
    from hardware_models.documents import DeviceModel


class DeviceCommands(Command, click.Group):
    """The command `devices`, which lists devices, and the commands below it."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands, each in a sentence."""
        with formatter.section("Commands"):
            formatter.write_dl(in_a_sentence(self.commands.values()))


@click.command(
    "devices",
    cls=DeviceCommands,
    invoke_without_command=True,
    epilog="\b\nExamples:\n  python -m search devices\n  python -m search devices show NAME",
)
@storage_option
@json_option
@click.pass_context
def devices(context: click.Context, storage: str, json: bool) -> None:
    """List the devices whose latencies are known: measured here, imported, learnt, shipped."""
    if context.invoked_subcommand is not None:
        if json or context.get_parameter_source("storage") is not click.core.ParameterSource.DEFAULT:
            raise click.UsageError(f"put options behind {context.invoked_subcommand}", context)
        return
    _list(storage, json=json)


def _list(storage: str, *, json: bool) -> None:
    from hardware_models.device import this_device
    from search.cli.known_devices import shipped, stored_devices

    out, here = output(json=json), this_device()
    stored = [
        device.record() | {"created_at": device.stored_at, "this_machine": device.name == here.id}
        for device in stored_devices(storage)
    ]
    coming = [device.record() for device in shipped()]
    this = {"id": here.id, "name": here.name, "fingerprint": here.fingerprint}
    out.document({"this": this, "tables": stored, "shipped": coming})
    out.line(f"this machine: {here.name} ({here.id})")
    if not stored:
        out.line("no latency tables are stored; measure one: python -m search profile nasbench201")
    known = {record["sha256"] for record in stored}
    others = [record for record in coming if record["sha256"] not in known]
    _print_devices(out, [*stored, *(record | {"kind": f"shipped, {record['kind']}"} for record in others)])


def _print_devices(out: Output, records: list[dict[str, Any]]) -> None:
    from search.cli.known_devices import when

    if not records:
        return
    columns = [Column("device"), Column("kind"), Column("of"), Column("entries", True), Column("engine"),
               Column("threads", True), Column("batch", True), Column("error (%)", True), Column("from"),
               Column("id")]  # fmt: skip
    out.table(columns, [
        [record["device"], record["kind"], record.get("of", ""), f"{record.get('entries', 0):,}",
         record.get("engine", ""), _told(record.get("threads")), _told(record.get("batch")), _error(record),
         when(record), record["sha256"][:8]] for record in records
    ])  # fmt: skip


def _told(number: int | None) -> str:
    return "-" if number is None else str(number)


def _error(record: dict[str, Any]) -> str:
    """Return how far a typical network is off: the median where it is known, which networks of no cost do not move."""
    error = record.get("median_error")
    error = record.get("mean_error") if error is None else error
    return "-" if error is None else f"{100 * error:.1f}"


@command("show", example="devices show raspi4\ndevices show raspi4 --json")
@click.argument("name")
@storage_option
@json_option
def show(name: str, storage: str, json: bool) -> None:
    """Print a device's model: its entries, where it comes from, and how far it is off."""
    from search.cli.device_view import print_model
    from search.cli.known_devices import find_device

    out, device = output(json=json), find_device(storage, name)
    model = device.model()
    out.document({**device.record(), "model": json_text.loads(device.document)})
    print_model(out, model)


@command("export", example="devices export raspi4 raspi4.json\ndevices export cpu-epyc-9655-1a2b3c table.csv")
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@storage_option
@json_option
def export(name: str, file: Path, storage: str, json: bool) -> None:
    """Write a device's model to FILE: any as .json, a table of operators also as .csv. `devices import` reads both."""
    from hardware_models.formats.operators import write
    from hardware_models.latency_table import LatencyTable
    from search.cli.known_devices import find_device

    out, device = output(json=json), find_device(storage, name)
    if not file.resolve().parent.is_dir():
        raise ValueError(f"the folder of {str(file)!r} does not exist: make it first")
    model = device.model()
    if file.suffix == ".json":
        file.write_text(device.document, encoding="utf-8")
    elif file.suffix == ".csv" and isinstance(model, LatencyTable):
        write(model, file)
    else:
        raise ValueError(f"{str(file)!r}: expected a name that ends in .json (or .csv, for a table of operators)")
    out.document({"device": device.name, "file": str(file), "bytes": file.stat().st_size})
    out.line(f"wrote {device.name} as {file}; read it into another storage: python -m search devices import {file}")


@command("import", example="devices import table.csv --device my-phone\n"
         "devices import latency_ms.csv.gz --space nasbench201\ndevices import lut.json --format fbnet")  # fmt: skip
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "format_name", metavar="NAME", help="The file's format; by default told by its first lines.")
@click.option("--device", default="", metavar="NAME", help="What to call the device, or which of the file's to take.")
@click.option("--space", metavar="STUDY|SPACE", help="The space, for files that hold architectures' codes.")
@click.option("--unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Of latencies that do not say theirs.")
@storage_option
@json_option
def import_(
    *, file: Path, format_name: str | None, device: str, space: str | None, unit: str | None, storage: str, json: bool
) -> None:
    """Read latency tables from FILE and store them. Nothing in the file is run.

    Formats: this project's own (document, operators), architectures (HELP, HW-NAS-Bench), fbnet, nn_meter and others;
    docs/devices.md shows each.
    """
    from hardware_models.importing import read_devices
    from hardware_models.space_identity import identity_of
    from search.cli.space_argument import named_space

    identity = None if space is None else identity_of(named_space(space), space)
    models = read_devices(file, format_name, device=device, space=identity, unit=unit)
    keep_and_tell(models, storage, output(json=json))


def keep_and_tell(models: list[DeviceModel], storage: str, out: Output) -> None:
    """Store models and print a line on each."""
    from search.cli.known_devices import KnownDevice, check_device_name, device_of
    from search.cli.tables import keep
    from search.storage import open_storage

    names = [check_device_name(device_of(model)) for model in models]
    with closing(open_storage(storage)) as store:
        for model in models:
            keep(store, model)
    records = [KnownDevice(name, model.to_json()).record() for name, model in zip(names, models, strict=True)]
    out.document({"devices": records, "storage": shown_storage(storage)})
    _print_devices(out, records)
    out.line(f"stored in {shown_storage(storage)}; look at one: "
             f"python -m search devices show {names[0]}{storage_hint(storage)}")  # fmt: skip


@command("compare", example="devices compare raspi4 pixel3")
@click.argument("first")
@click.argument("second")
@storage_option
@json_option
def compare(first: str, second: str, storage: str, json: bool) -> None:
    """Compare two devices' latencies of what both know: ratios, ranks, the largest disagreements."""
    from hardware_models.comparison import compare_models
    from search.cli.known_devices import find_device

    out = output(json=json)
    left, right = find_device(storage, first), find_device(storage, second)
    found = compare_models(left.model(), right.model())
    out.document({"first": left.record(), "second": right.record(), **asdict(found)})
    _print_comparison(out, found, left.name, right.name)


def _print_comparison(out: Output, found: Comparison, first: str, second: str) -> None:
    from search.metric_names import number

    ranks = ", ".join(
        f"{name} {'-' if value is None else f'{value:.3f}'}"
        for name, value in (("Spearman", found.spearman), ("Kendall tau", found.kendall_tau))
    )
    out.line(f"{found.common:,} {found.of} in common; {found.only_first:,} only in {first}, "
             f"{found.only_second:,} only in {second}")  # fmt: skip
    out.line(f"{second} / {first}: median {number(found.median)}, geometric mean {number(found.geometric_mean)}, "
             f"10 to 90 % {number(found.tenth)} to {number(found.ninetieth)}, "
             f"all {number(found.least)} to {number(found.most)}")  # fmt: skip
    out.line(f"ranks: {ranks}")
    columns = [Column("farthest from the median"), Column(f"{first} (ms)", True), Column(f"{second} (ms)", True),
               Column("ratio", True)]  # fmt: skip
    rows = [[one.what, number(one.first_ms), number(one.second_ms), number(one.second_ms / one.first_ms)]
            for one in found.largest]  # fmt: skip
    out.table(columns, rows)


for _command in (show, import_, export, compare, learn, suggest, onboard):
    devices.add_command(_command)
