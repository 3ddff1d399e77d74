"""The errors a search ends with; each message says what was found, what was expected and what to do."""

from __future__ import annotations


class StorageError(Exception):
    """The database cannot be used."""


class StorageUnavailable(StorageError):  # noqa: N818 - says what is so
    """The database cannot be reached, opened, written, or is of another version."""


class StorageCorrupt(StorageError):  # noqa: N818
    """The database file is damaged, or is not a database."""


class StudyNotFound(LookupError):  # noqa: N818
    """No study of that name is stored."""


class StudyChanged(ValueError):  # noqa: N818
    """A stored study is resumed with something that must not change."""


class SpaceChanged(StudyChanged):
    """A stored study is resumed with another space."""


class NoDriver(ValueError):  # noqa: N818 - says what is so
    """A study's driver is asked for something, and there is none, or none that could do it."""


class LeaseLost(Exception):  # noqa: N818
    """Another driver has taken the study over, or the study was deleted: this one must not write any more."""


class StudyLocked(Exception):  # noqa: N818
    """Another driver holds the study.

    Attributes:
      name: the study's.
      host, pid: where the other driver runs.
      age_s: seconds since it last said that it lives.
    """

    def __init__(self, name: str, host: str, pid: int, age_s: float) -> None:
        super().__init__(
            f"study {name!r} is being driven by process {pid} on host {host} (lease renewed {age_s:.0f} s ago); "
            f"wait for it, stop it, or use another study name"
        )
        self.name, self.host, self.pid, self.age_s = name, host, pid, age_s
