"""`save`, `load`, `delete`: a study as one JSON-lines file, and its end."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from search.cli.command import command, json_option, name_argument, name_option, output, storage_option
from search.cli.runs import runs_folder
from search.cli.stored import existing_storage, storage_hint


@command("save", example="save nasbench201 nasbench201.jsonl")
@name_argument
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@storage_option
@json_option
def save(name: str, file: Path, storage: str, json: bool) -> None:
    """Write a study to FILE as JSON lines, exactly; `load` reads it into any storage."""
    out = output(json=json)
    if not file.resolve().parent.is_dir():
        raise ValueError(f"the folder of {str(file)!r} does not exist: make it first")
    with existing_storage(storage) as store:
        store.export_study(name, file)
    out.document({"study": name, "file": str(file), "bytes": file.stat().st_size})
    out.line(f"saved {name} as {file}; read it into another storage: python -m search load {file} --storage URL")


@command("load", example="load nasbench201.jsonl --name copy")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@name_option
@storage_option
@json_option
def load(file: Path, name: str | None, storage: str, json: bool) -> None:
    """Read a study that `save` wrote. Its lines are data: nothing in them is run."""
    from contextlib import closing

    from search.storage import open_storage

    out = output(json=json)
    with closing(open_storage(storage)) as store:
        loaded = store.import_study(file, name)
    out.document({"study": loaded, "file": str(file)})
    out.line(f"loaded {loaded}; look at it: python -m search show {loaded}{storage_hint(storage)}")


@command("delete", example="delete nasbench201 --yes")
@name_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@storage_option
@json_option
def delete(name: str, yes: bool, storage: str, json: bool) -> None:
    """Delete a study with its trials and their checkpoints; on a terminal, after asking."""
    out = output(json=json)
    with existing_storage(storage) as store:
        if not yes and sys.stdin.isatty():
            click.confirm(f"Delete the study {name!r} with all its trials?", abort=True, err=True)
        store.delete(name)
    shutil.rmtree(runs_folder(name, storage), ignore_errors=True)
    out.document({"deleted": name})
    out.line(f"deleted {name}")
