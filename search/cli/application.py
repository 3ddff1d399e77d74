"""The group of all commands, and the one place where a command's outcome becomes an exit code and a line on stderr."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from search.cli.best import best
from search.cli.browse import list_studies, show, trials
from search.cli.catalog import algorithms, spaces, studies
from search.cli.command import in_a_sentence
from search.cli.control import pause, resume, stop
from search.cli.dashboard import dashboard
from search.cli.devices import devices
from search.cli.doctor import doctor
from search.cli.export import export
from search.cli.failures import ExitCode
from search.cli.launch import launch
from search.cli.pareto import pareto
from search.cli.preparations import preparations
from search.cli.profile import profile
from search.cli.recost import recost
from search.cli.transfer import delete, load, save

SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Search": (launch, pause, resume, stop, profile, recost, doctor),
    "Look": (list_studies, show, trials, best, pareto, preparations, dashboard),
    "Keep": (export, save, load, delete),
    "What there is": (studies, spaces, algorithms, devices),
}


class Application(click.Group):
    """A group that prints every failure as one `error:` line and exits with the code that belongs to it."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run one command and exit: 0, or the code a command returns, or the code of its failure."""
        try:
            outcome = super().main(args, prog_name, **{**extra, "standalone_mode": False})
        except click.ClickException as error:
            _complain(error)
            sys.exit(error.exit_code)
        except click.Abort:
            click.echo("interrupted", err=True)
            sys.exit(ExitCode.INTERRUPTED)
        except OSError as error:
            if error.errno == errno.EPIPE:
                sys.exit(ExitCode.FAILED)
            raise
        sys.exit(int(outcome) if isinstance(outcome, int) else 0)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands under their sections, in the order in which they are used."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(in_a_sentence(commands))


def _complain(error: click.ClickException) -> None:
    """Print the failure as one line on stderr, with the way to the help where the command was misused."""
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    if context is not None and isinstance(error, click.UsageError):
        message += f" (see `{context.command_path} --help`)"
    click.echo(f"error: {message}", err=True)


@click.group(cls=Application, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="symbolic-nas-search", message="%(version)s")
def application() -> None:
    """Search symbolic spaces for networks that are accurate and fast on a named device.

    Begin with `python -m search doctor`, then `python -m search launch nasbench201`.
    """


for _commands in SECTIONS.values():
    for _command in _commands:
        application.add_command(_command)
