"""`dashboard`: a local web page over the stored studies."""

from __future__ import annotations

import secrets
from contextlib import closing

import click

from search.cli.command import command, output, storage_option

PORT = 8090


@command("dashboard", example="dashboard\n"
    "dashboard --storage sqlite:///results/search.db --study my_study.py\n"
    "dashboard --host 0.0.0.0 --read-only")  # fmt: skip
@storage_option
@click.option("--host", default="127.0.0.1", show_default=True, metavar="H", help="The address to listen at; any other "
              "than this machine's own asks for a token, which is printed.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, metavar="P",
              help="0 takes any that is free.")  # fmt: skip
@click.option("--token", envvar="SEARCH_DASHBOARD_TOKEN", metavar="T", help="The token to ask for, instead of a new "
              "one; better set as $SEARCH_DASHBOARD_TOKEN, where no list of processes shows it.")  # fmt: skip
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="A further name that browsers may use.")
@click.option("--root-path", default="", metavar="PATH", help="The path under which a proxy serves the page.")
@click.option("--study", "files", multiple=True, metavar="FILE",
              help="A study file to load, for drawings of its networks and costs on further devices.")  # fmt: skip
@click.option("--read-only", is_flag=True, help="Refuse whatever changes anything.")
def dashboard(
    *, storage: str, host: str, port: int, token: str | None, hosts: tuple[str, ...], root_path: str,
    files: tuple[str, ...], read_only: bool,
) -> None:  # fmt: skip
    """Show the stored studies in the browser, live; Ctrl-C ends it.

    It listens on this machine alone unless --host says otherwise.
    """
    from search.cli.programs import StudyPrograms
    from search.cli.serving import listen, serve
    from search.dashboard.app import create_app
    from search.dashboard.security import LOOPBACK, Access
    from search.dashboard.store import Store

    out = output()
    if token is None and host not in LOOPBACK:
        token = secrets.token_urlsafe(24)
    access = Access(host, token, read_only, tuple(name.lower() for name in hosts))
    programs = StudyPrograms(files)
    with (
        closing(listen(host, port)) as socket,
        closing(Store(storage, read_only=read_only, programs=programs)) as store,
    ):
        shown = f"http://{f'[{host}]' if ':' in host else host}:{socket.getsockname()[1]}{root_path}/"
        store.prepare()
        out.line(f"dashboard of {store.label}: {shown}{f'?token={token}' if token else ''}")
        out.note("read-only; Ctrl-C ends it" if read_only else "Ctrl-C ends it")
        serve(create_app(store, access), socket, root_path)
