"""Replaces files as a whole: a new version is written to a file in the same folder, which is then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Replacement", "check_targets", "replace_files", "unwritable", "writable_by"]

# By the number of an error what makes a file writable.
REMEDIES = {
    errno.EACCES: "name a file in a folder that you may write to",
    errno.EPERM: "name a file in a folder that you may write to",
    errno.EROFS: "name a file in a folder that you may write to",
    errno.EISDIR: "name a file in this folder",
    errno.ENOTDIR: "name a file below a folder: a part of the path is a file",
    errno.ENOENT: "make the folder first, or name another one",
    errno.ENOSPC: "free space, or name a file on another disk",
    errno.EDQUOT: "free space, or name a file on another disk",
    errno.EFBIG: "free space, or name a file on another disk",
    errno.ENAMETOOLONG: "choose a shorter name",
}


class Replacement:
    """A new version of a file. `commit` puts it in its place; until then, and after `discard`, the file is as it was.

    What is no regular file (a pipe, /dev/stdout) is written directly. Every method may raise OSError.
    """

    def __init__(self, path: Path) -> None:
        target = Path(os.path.realpath(path))  # a link stays a link
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        self._target = target
        self._temporary: Path | None = None
        if not target.exists() or target.is_file():
            self._temporary = target.with_name(f".{target.name}.{os.getpid()}.new")
        self._file = (self._temporary or target).open("wb", buffering=0)

    @property
    def path(self) -> Path:
        """The path of the new version, until `commit` moves it to its place."""
        return self._temporary or self._target

    def write(self, content: bytes) -> None:
        """Append; a part of `content` is there if the disk fills up meanwhile."""
        unwritten = memoryview(content)
        while unwritten:
            unwritten = unwritten[self._file.write(unwritten) :]

    def commit(self) -> None:
        """Put it in the file's place, with the file's permissions."""
        self._file.close()
        if self._temporary is not None:
            if self._target.exists():
                self._temporary.chmod(self._target.stat().st_mode & 0o7777)
            self._temporary.replace(self._target)
            self._temporary = None

    def discard(self) -> None:
        """Remove it, unless it was kept."""
        self._file.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)


def replace_files(texts: Iterable[tuple[Path, str]]) -> None:
    """Write several files: all of them, or none. Raises OSError that names the file."""
    with contextlib.ExitStack() as stack:
        written = []
        for path, text in texts:
            with _named(path):
                replacement = Replacement(path)
                stack.callback(replacement.discard)
                replacement.write(text.encode())
                written.append((path, replacement))
        for path, replacement in written:
            with _named(path):
                replacement.commit()


def check_targets(targets: Iterable[Path], sources: Iterable[Path] = ()) -> str | None:
    """Why files cannot be written, before there is anything to write; None if they probably can."""
    read = {os.path.realpath(path) for path in sources}
    checked: set[str] = set()
    for path in targets:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_dir() and not target.is_file():
            continue
        if str(target) in checked:
            return f"{path} is named twice: each form of a report needs a file of its own"
        if str(target) in read:
            return f"{path} is read by this command: name another file"
        checked.add(str(target))
        try:
            Replacement(path).discard()
        except OSError as error:
            return f"{unwritable(path, error)}\n  {writable_by(error)}".rstrip()
    return None


def unwritable(path: object, error: OSError) -> str:
    """The line about a file that cannot be written."""
    return f"{path} cannot be written: {error.strerror or error}"


def writable_by(error: OSError) -> str:
    """What to do about a file that cannot be written; empty if the reason says it all."""
    return REMEDIES.get(error.errno or 0, "")


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
