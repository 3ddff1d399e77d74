"""`pause`, `resume`, `stop`: ask a running study's driver, wherever it runs, by a row that it looks at every second."""

from __future__ import annotations

from search.cli.command import command, json_option, name_argument, output, storage_option
from search.cli.stored import existing_storage


@command("pause", example="pause nasbench201")
@name_argument
@storage_option
@json_option
def pause(name: str, storage: str, json: bool) -> None:
    """Have a running study begin no new trials until `resume`; those that run finish, and the driver waits."""
    _control(storage, name, "pause", "no new trials are begun; `resume` goes on", json=json)


@command("resume", example="resume nasbench201")
@name_argument
@storage_option
@json_option
def resume(name: str, storage: str, json: bool) -> None:
    """Have a paused study go on."""
    _control(storage, name, "resume", "it goes on", json=json)


@command("stop", example="stop nasbench201")
@name_argument
@storage_option
@json_option
def stop(name: str, storage: str, json: bool) -> None:
    """Have a running study end once its running trials have; `launch` goes on with it."""
    _control(storage, name, "stop", "its running trials finish, then it ends; `launch` goes on", json=json)


def _control(storage: str, name: str, action: str, then: str, *, json: bool) -> None:
    out = output(json=json)
    with existing_storage(storage) as store:
        store.control(name, action)
    out.document({"study": name, "asked": action})
    out.line(f"{name}: asked to {action}; {then}")
