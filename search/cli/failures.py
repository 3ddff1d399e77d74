"""Which exit code belongs to which failure, and the one line that tells it."""

from __future__ import annotations

from enum import IntEnum

import click


class ExitCode(IntEnum):
    """What the shell is told."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    BUDGET_LEFT = 3
    STORAGE_UNAVAILABLE = 4
    STUDY_LOCKED = 5
    INTERRUPTED = 130
    TERMINATED = 143


CODES: dict[str, ExitCode | None] = {
    "StorageUnavailable": ExitCode.STORAGE_UNAVAILABLE,
    "StorageCorrupt": ExitCode.STORAGE_UNAVAILABLE,
    "StudyLocked": ExitCode.STUDY_LOCKED,
    "LeaseLost": ExitCode.STUDY_LOCKED,
    "MissingEntry": ExitCode.FAILED,
    "AddressError": ExitCode.BAD_INPUT,
    "LauncherError": ExitCode.FAILED,
    "FileNotFoundError": ExitCode.BAD_INPUT,
    "FileExistsError": ExitCode.BAD_INPUT,
    "IsADirectoryError": ExitCode.BAD_INPUT,
    "NotADirectoryError": ExitCode.BAD_INPUT,
    "PermissionError": ExitCode.BAD_INPUT,
    "ValueError": ExitCode.BAD_INPUT,
    "LookupError": ExitCode.BAD_INPUT,
    "KeyError": None,
    "IndexError": None,
}
"""Exit codes by the name of an exception's class or of its nearest base, so that nothing heavy is imported for them.

None for what is raised without words of its own: it is no message, and its class is told.
"""


class Failure(click.ClickException):
    """A failure whose exit code is known."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = int(code)  # type: ignore[misc]  # click types it as a class's, and sets it so itself


def explain(error: Exception) -> Failure:
    """Return the failure that `error` is to a user: its message on one line, its exit code by its class."""
    code = next((CODES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in CODES), None)
    message = " ".join(_message(error).split())
    if code is None:
        message = f"{type(error).__name__}: {message} (--debug shows where)"
    return Failure(message, ExitCode.FAILED if code is None else code)


def _message(error: Exception) -> str:
    """Return an error's own words: a KeyError shows its argument's repr, an OSError names its file."""
    if isinstance(error, KeyError) and len(error.args) == 1 and isinstance(error.args[0], str):
        return error.args[0]
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__
