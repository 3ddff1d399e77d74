"""The files of a CIFAR data set, in a folder or in the archive as it is published; nothing is unpacked to disk."""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

LARGEST_BYTES = 2**28
"""What a file may hold at most; the largest, of CIFAR-100, holds 160 million."""


class Files:
    """The contents of the wanted files by name, all with the ending `.bin` (`binary`) or all without.

    Raises FileNotFoundError where the path or a file is missing, ValueError for what is no archive or too large.
    """

    def __init__(self, path: Path, wanted: tuple[str, ...]) -> None:
        if not path.exists():
            raise FileNotFoundError(f"no such file or folder: {path}; expected CIFAR's archive, or what it unpacks to")
        self.path = path
        found = dict(_in_folder(path, wanted) if path.is_dir() else _in_archive(path, wanted))
        self.binary = any(name.endswith(".bin") for name in found)
        self.names = {name: f"{name}.bin" if self.binary else name for name in wanted}
        for name in self.names.values():
            if name not in found:
                raise FileNotFoundError(
                    f"no {name} in {path}; it holds {', '.join(sorted(found)) or 'none of the set'}"
                )
        self.contents = {name: found[own] for name, own in self.names.items()}


def _in_folder(folder: Path, wanted: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    endings = (".bin", "") if any((folder / f"{name}.bin").is_file() for name in wanted) else ("",)
    for path in (folder / f"{name}{endings[0]}" for name in wanted):
        if path.is_file():
            _check_size(path, path.stat().st_size)
            yield path.name, path.read_bytes()


def _in_archive(path: Path, wanted: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted regular files of a tar archive, whatever folder they are in there."""
    names = {f"{name}{ending}" for name in wanted for ending in (".bin", "")}
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if not member.isreg() or name not in names:
                    continue
                _check_size(path, member.size)
                file = archive.extractfile(member)
                if file is not None:
                    yield name, file.read()
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        raise ValueError(f"{path}: cannot be read as a tar archive, is it truncated? {error}") from None


def _check_size(path: Path, size: int) -> None:
    if size > LARGEST_BYTES:
        raise ValueError(f"{path}: holds a file of {size} bytes; CIFAR's are smaller than {LARGEST_BYTES}")
