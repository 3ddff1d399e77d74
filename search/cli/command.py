"""What every command has: `--plain`, `--debug`, an example in its help, and failures told in one line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

import click

from search.cli.failures import explain
from search.cli.output import Output
from search.cli.owners import check_owners
from search.launch_command import DEFAULT_STORAGE

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Command(click.Command):
    """A command whose failures become one line, or a traceback with `--debug`."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params.append(click.Option(["--plain"], is_flag=True, expose_value=False, help="Text without colours."))
        self.params.append(click.Option(["--debug"], is_flag=True, expose_value=False, help="Show tracebacks."))

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        """Note the flags that no command body takes, then parse as ever."""
        context = super().make_context(info_name, list(args), *rest, **extra)
        context.meta["plain"] = "--plain" in args
        context.meta["debug"] = "--debug" in args
        return context

    def invoke(self, ctx: click.Context) -> Any:
        """Run the body; an exception becomes a failure with its exit code."""
        try:
            check_owners()
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.meta["debug"]:
                raise
            raise explain(error) from error


def in_a_sentence(commands: Iterable[click.Command]) -> list[tuple[str, str]]:
    """Return each command's name and the whole first sentence of its help."""
    return [(command.name or "", command.get_short_help_str(200)) for command in commands]


def command(name: str, *, example: str) -> Callable[[Callable[..., Any]], Command]:
    """Return a decorator that makes a function the command `name`, whose help ends with `example`."""
    lines = "\n".join(f"  python -m search {line}" for line in example.split("\n"))
    made: Callable[[Callable[..., Any]], Command] = click.command(
        name, cls=Command, epilog=f"\b\nExample{'s' if chr(10) in lines else ''}:\n{lines}"
    )
    return made


def output(*, json: bool = False) -> Output:
    """Return where the running command prints to."""
    plain = bool(click.get_current_context().meta.get("plain")) or bool(os.environ.get("NO_COLOR"))
    return Output(json=json, plain=plain)


def _study_name(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not NAME.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} is not a study's name: use 1-128 letters, digits, '.', '_', '-'; the first a letter or digit",
            context,
            option,
        )
    return value


def usual_storage() -> str:
    """Return the storage that is used when none is named."""
    return os.environ.get("SEARCH_STORAGE") or DEFAULT_STORAGE


def _storage(_context: click.Context, _option: click.Parameter, value: str | None) -> str:
    return value or usual_storage()


storage_option = click.option(
    "--storage",
    metavar="URL",
    callback=_storage,
    help=f"Where studies are kept: sqlite:///FILE or postgresql://... Default: $SEARCH_STORAGE or {DEFAULT_STORAGE}.",
)
json_option = click.option("--json", is_flag=True, help="Print one JSON document and nothing else on stdout.")
name_argument = click.argument("name", callback=_study_name)
name_option = click.option("--name", metavar="NAME", callback=_study_name, help="The study's name.")
