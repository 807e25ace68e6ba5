"""The storage of an archive: a folder, or a bucket (any URL that fsspec supports).

Writes are atomic: in a folder a temporary file is renamed, in a bucket a put is atomic.
"""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from lambda_latency.archive.layout import new_name, written_s
from lambda_latency.installing import install_command


class ArchiveError(Exception):
    """An archive cannot be read or written; ends the command with status 1, or 2 for a usage error."""

    def __init__(self, message: str, todo: str = "", *, exit_status: int = 1) -> None:
        super().__init__(f"{message}\n  {todo}" if todo else message)
        self.what, self.exit_status = message, exit_status


WRITING = ".writing-"


class Folder:
    """A folder on this machine. Files are named by their paths below it, with `/` between. Methods raise OSError."""

    def __init__(self, root: Path) -> None:
        self.root, self.name = root, str(root)

    def names(self, below: str) -> list[str]:
        """Return the paths of all files below a folder, in order."""
        paths = (path for path in (self.root / below).rglob("*") if path.is_file() and not path.name.startswith("."))
        return sorted(path.relative_to(self.root).as_posix() for path in paths)

    def put(self, source: Path, path: str) -> None:
        """Move a local file to a path."""
        target = self.root / path
        for _ in range(3):  # a prune may remove the folder
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                source.replace(target)
                return
        source.replace(target)

    def local(self, path: str, folder: Path) -> Path:  # noqa: ARG002 - there is nothing to copy
        """Return a file on this machine: itself, or a copy in `folder`. Raises FileNotFoundError."""
        file = self.root / path
        if not file.exists():
            raise FileNotFoundError(str(file))
        return file

    def address(self, path: str) -> str:
        """Return the path or URL of a file for a query engine."""
        return str(self.root / path)

    def remove(self, path: str) -> None:
        """Remove a file, if it exists."""
        target = self.root / path
        target.unlink(missing_ok=True)
        for folder in list(target.parents)[: len(Path(path).parents) - 1]:
            with contextlib.suppress(OSError):  # the folder is not empty
                folder.rmdir()

    def workspace(self) -> Path:
        """Make a new local folder for temporary files."""
        folder = self.root / f"{WRITING}{new_name()}"  # on the same file system
        folder.mkdir(parents=True)
        return folder

    def sweep(self, settled_s: float) -> None:
        """Remove temporary files older than `settled_s` seconds, which killed writers left."""
        for folder in self.root.glob(f"{WRITING}*"):
            if time.time() - written_s(folder.name.removeprefix(WRITING)) >= settled_s:
                shutil.rmtree(folder, ignore_errors=True)


class Bucket:
    """A URL that fsspec opens, such as `s3://bucket/prefix`; its methods are those of `Folder`."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec

            system, root = fsspec.core.url_to_fs(url)
        except ImportError as error:
            raise ArchiveError(f"{url} needs a package that is not installed: {error}", "pip install s3fs") from error
        except (ValueError, OSError) as error:
            raise ArchiveError(f"{url} cannot be opened: {error}") from error
        self.name, self._system, self._root = url.rstrip("/"), system, str(root).rstrip("/")

    def names(self, below: str) -> list[str]:
        try:
            with as_os_errors():
                paths: Any = self._system.find(f"{self._root}/{below}" if below else self._root)
        except FileNotFoundError:
            return []
        return sorted(str(path)[len(self._root) + 1 :] for path in paths)

    def put(self, source: Path, path: str) -> None:
        with as_os_errors():
            self._system.put_file(str(source), f"{self._root}/{path}")
        source.unlink()

    def local(self, path: str, folder: Path) -> Path:
        copy = folder / uuid.uuid4().hex / Path(path).name
        copy.parent.mkdir(parents=True)
        with as_os_errors():
            self._system.get_file(f"{self._root}/{path}", str(copy))
        return copy

    def address(self, path: str) -> str:
        return f"{self.name}/{path}"

    def remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError), as_os_errors():
            self._system.rm_file(f"{self._root}/{path}")

    def workspace(self) -> Path:
        import tempfile

        return Path(tempfile.mkdtemp(prefix="lambda-latency-"))

    def sweep(self, settled_s: float) -> None:
        """Do nothing: a bucket has no temporary files."""


Place: TypeAlias = Folder | Bucket


@contextlib.contextmanager
def as_os_errors() -> Iterator[None]:
    """Convert every exception to OSError: fsspec's backends raise their own, for example for missing credentials."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def place_of(where: str) -> Place:
    """Return the storage at a folder's path or a URL. Raises ArchiveError."""
    return Bucket(where) if "://" in where else Folder(Path(where))


@contextlib.contextmanager
def working(place: Place) -> Iterator[Path]:
    """Yield a workspace, which is removed at the end."""
    folder = place.workspace()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_text(place: Place, path: str, text: str) -> None:
    """Write a text file. Raises OSError."""
    with working(place) as folder:
        file = folder / path
        file.write_text(text, encoding="utf-8")
        place.put(file, path)


def need(package: str) -> None:
    """Raise ArchiveError if a package of the extra is missing."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ArchiveError(f"{package} is not installed, and an archive needs it", install_command("archive"))
