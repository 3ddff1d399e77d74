"""`recost`: a study's trials under the newest version of a device's latency table, without a new evaluation."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from search.cli.command import command, json_option, name_argument, output, storage_option
from search.cli.stored import definition_of, existing_storage, file_option, storage_hint
from search.cli.tables import fits_setup, opened, version_text
from search.metric_names import heading

if TYPE_CHECKING:
    from search.cli.device_costs import DeviceCosts
    from search.cli.output import Output
    from search.cli.tables import Table
    from search.recosting import Recosted
    from search.storage import Storage


@command("recost", example="recost nasbench201 --device this\nrecost nasbench201 --device pixel3 --table 4f1d2c")
@name_argument
@click.option("--device", required=True, metavar="D", help="The device, by its name in the study or its tables' id.")
@click.option("--table", "version", metavar="SHA256", help="The beginning of a table's digest; the newest by default.")
@file_option
@storage_option
@json_option
def recost(*, name: str, device: str, version: str | None, file: str | None, storage: str, json: bool) -> None:
    """Compute a study's latencies anew from the newest stored table of a device, and judge its trials by them.

    Nothing is evaluated: measure the device again (`profile`), or import its table again, then re-cost. A device that
    the study did not have is added to it. The study keeps which table versions its latencies came from.
    """
    from search.cli.device_costs import DeviceCosts
    from search.recosting import recost as write
    from search.study import Study

    out = output(json=json)
    with existing_storage(storage) as store:
        with closing(Study.open(store, name)) as study:
            costs = DeviceCosts(store, study, lambda: definition_of(study, file))
            called = costs.name_of(device)
            table = _table(store, costs, called, device, version)
        definition = costs.definition
        done = write(
            store, name, device=called, space=definition.space, known=costs.known(table, called), facts=table.facts,
            algorithm=definition.algorithm,
        )  # fmt: skip
    out.document({"study": name, "device": called or device, **_record(done)})
    _print(out, name, done, storage)


def _table(store: Storage, costs: DeviceCosts, called: str, device: str, version: str | None) -> Table:
    """Return the newest table of the device that covers the space, or the one whose digest begins with `version`."""
    from search.cli.latency import device_id

    described = costs.described(called, device)
    if version is None:
        return costs.finder.newest(described)
    stored = [
        table
        for table in store.latency_tables(device=device_id(described.device))
        if fits_setup(table, described.setup)
    ]
    found = [table for table in stored if table.sha256.startswith(version.lower())]
    if len(found) != 1:
        known = ", ".join(table.sha256[:12] for table in stored) or "none"
        raise ValueError(f"{len(found)} latency tables of {device!r} begin with {version!r}: expected one of {known}")
    problem = costs.finder.problem((table := opened(found[0])).model)
    if problem:
        raise ValueError(f"latency table {found[0].sha256[:12]} is not of this study's space: {problem}")
    return table


def _record(done: Recosted) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(done)


def _print(out: Output, name: str, done: Recosted, storage: str) -> None:
    """Say which table the latencies come from now and before, and what that has changed."""
    what = ", ".join(map(heading, done.metrics))
    out.line(f"{name}: {what} of {done.trials:,} trials from table {version_text(done.after)}")
    if done.before is not None and done.before.get("sha256") != done.after.get("sha256"):
        out.line(f"before: table {version_text(done.before)}")
    elif done.before is not None and not done.changed:
        out.line("nothing has changed: the study has used this table before")
        return
    out.line(
        f"{done.changed:,} trials changed; {done.broken:,} break a constraint now, {done.mended:,} no longer do; "
        f"front: {done.front:,} trials, {done.joined:,} joined, {done.left:,} left"
    )
    out.line(f"look: python -m search pareto {name}{storage_hint(storage)}")
