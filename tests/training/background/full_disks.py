"""Disks without room: a small file system of the test's own, and a limit on the size of any file."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FILLER = "filler"


@contextmanager
def no_file_larger_than(n_bytes: int) -> Iterator[None]:
    """Let the system refuse what this process writes beyond so many bytes of a file, as a quota does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_disk(folder: Path, *, n_bytes: int) -> Iterator[Path]:
    """A file system of so many bytes on a folder; the test is skipped where none may be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, *, n_left: int) -> None:
    """Leave so many bytes on the disk of a folder."""
    block = b"\0" * 4096
    with (folder / FILLER).open("wb", buffering=0) as file:
        try:
            while True:
                file.write(block)
        except OSError:
            size = file.tell()
        file.truncate(max(0, size - n_left))
