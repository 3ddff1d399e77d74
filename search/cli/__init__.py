"""The command line: `python -m search`, or `nas-search`. Each module holds one command or one thing commands share."""

from __future__ import annotations

from search.cli.application import application


def main() -> None:
    """Run the command line on this process's arguments and exit with its code."""
    application.main(prog_name="python -m search")
