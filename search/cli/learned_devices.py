"""`devices learn`, `suggest`, `onboard`: models of devices from the latencies of whole networks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.command import command, json_option, output, storage_option
from search.cli.output import Column
from search.cli.space_argument import named_space, space_option

if TYPE_CHECKING:
    from hardware_models.documents import DeviceModel

MOST_SUGGESTED = 1_000
unit_option = click.option(
    "--unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Of latencies that do not say theirs."
)
file_type = click.Path(exists=True, dir_okay=False, path_type=Path)


@command("learn", example="devices learn pairs.csv --space nasbench201 --device my-phone\n"
         "devices learn latency_ms.csv.gz --space nasbench201 --pairs all")  # fmt: skip
@click.argument("pairs_file", metavar="PAIRS", type=file_type)
@space_option
@click.option("--device", default="", metavar="NAME", help="What to call the device, or which of the file's to take.")
@click.option("--pairs", type=click.Choice(["none", "neighbours", "all"]), default="none", show_default=True,
              help="Decisions that may add more together than alone.")  # fmt: skip
@unit_option
@storage_option
@json_option
def learn(*, pairs_file: Path, space: str, device: str, pairs: str, unit: str | None, storage: str, json: bool) -> None:
    """Learn a device's latency table from PAIRS, a CSV file of architectures and their latencies.

    The table says what each choice adds; its error is that of cross-validation.
    """
    from hardware_models.formats.architectures import learnt, read_networks
    from hardware_models.space_identity import identity_of
    from search.cli.devices import keep_and_tell

    out, identity = output(json=json), identity_of(named_space(space), space)
    found = read_networks(pairs_file, identity, device=device, unit=unit)
    keep_and_tell(learnt(pairs_file, identity, found, pairs), storage, out)


@command("suggest", example="devices suggest --space nasbench201 --count 10 --to measured.csv")
@space_option
@click.option("--count", type=click.IntRange(3, MOST_SUGGESTED), default=10, show_default=True, metavar="N")
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write a CSV file for `onboard`, its latencies left to be filled in.")  # fmt: skip
@storage_option
@json_option
def suggest(space: str, count: int, file: Path | None, storage: str, json: bool) -> None:
    """Say which networks to measure on a new device: those that known devices agree least on."""
    from search.device_pool import device_pool

    out, compiled = output(json=json), named_space(space)
    pool = device_pool(compiled, space, _known(storage, ""))
    rows = pool.suggest(count)
    codes = [pool.space.code(row) for row in rows]
    if file is not None:
        if file.exists():
            raise ValueError(f"{str(file)!r} is there already: name another file, or delete it")
        file.write_text("\n".join(["arch_code,latency_ms", *(f"{code}," for code in codes), ""]), encoding="utf-8")
    labels = [[pool.space.choices[column][choice] for column, choice in enumerate(row)] for row in rows]
    out.document({"space": space, "known": list(pool.models), "networks": [
        {"arch_code": code, "genotype": row.tolist(), "choices": names}
        for code, row, names in zip(codes, rows, labels, strict=True)
    ]})  # fmt: skip
    out.table([Column("arch_code"), Column("choices")],
              [[code, " · ".join(name.strip("'\"") for name in names)]
               for code, names in zip(codes, labels, strict=True)])  # fmt: skip
    out.line(f"decisions: {' · '.join(pool.space.decisions)}")
    out.line(f"from what {len(pool.models)} devices take; measure these, then: "
             f"python -m search devices onboard NAME --space {space} --measured {file or 'FILE'}")  # fmt: skip


@command("onboard", example="devices onboard my-phone --space nasbench201 --measured measured.csv")
@click.argument("name")
@space_option
@click.option("--measured", type=file_type, required=True, metavar="FILE",
              help="A CSV file of architectures' codes and latencies; `suggest --to` makes one.")  # fmt: skip
@unit_option
@storage_option
@json_option
def onboard(*, name: str, space: str, measured: Path, unit: str | None, storage: str, json: bool) -> None:
    """Predict a new device's latencies from 5 to 50 measured networks and what is known of other devices."""
    from hardware_models.formats.architectures import origin, read_networks
    from hardware_models.space_identity import identity_of
    from search.cli.device_view import held_out_text
    from search.cli.devices import keep_and_tell
    from search.cli.known_devices import check_device_name
    from search.device_pool import device_pool

    out, compiled, name = output(json=json), named_space(space), check_device_name(name)
    found = read_networks(measured, identity_of(compiled, space), device="", unit=unit)
    if len(found.latencies_ms) != 1:
        raise ValueError(f"{measured}: expected one column of latencies, got {', '.join(found.latencies_ms)}")
    [latencies] = found.latencies_ms.values()
    pool = device_pool(compiled, space, _known(storage, name), found.genotypes)
    model = pool.onboard(found.genotypes, latencies, origin(measured, name, "onboarded", len(latencies)))
    keep_and_tell([model], storage, out)
    out.line(f"from {len(latencies)} measured networks and {len(pool.models)} devices: {', '.join(pool.models)}")
    if model.validation is not None:
        out.line(f"{held_out_text(model.validation)}; measured on the most unusual networks of the space")


def _known(storage: str, apart_from: str) -> Iterator[tuple[str, DeviceModel]]:
    """Yield the models of all known devices but one, stored ones first; damaged ones are passed over."""
    from search.cli.known_devices import shipped, stored_devices

    for device in (*stored_devices(storage), *shipped()):
        if device.name != apart_from:
            with suppress(ValueError):
                yield device.name, device.model()
