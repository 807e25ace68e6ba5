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
from typing import Any, Protocol

from lambda_latency.archive.errors import ArchiveError
from lambda_latency.archive.layout import new_name, written_s
from lambda_latency.installing import install_command

WRITING = ".writing-"


class Place(Protocol):
    """Files by their paths below the archive's root, with `/` between. Methods raise OSError."""

    name: str

    def names(self, below: str) -> list[str]:
        """The paths of all files below a folder, in order."""

    def put(self, source: Path, path: str) -> None:
        """Moves a local file to a path."""

    def local(self, path: str, folder: Path) -> Path:
        """A file on this machine: itself, or a copy in `folder`. Raises FileNotFoundError."""

    def address(self, path: str) -> str:
        """The path or URL of a file for a query engine."""

    def remove(self, path: str) -> None:
        """Removes a file, if it exists."""

    def workspace(self) -> Path:
        """A new local folder for temporary files."""

    def sweep(self, settled_s: float) -> None:
        """Removes temporary files older than `settled_s` seconds, which killed writers left."""


class Folder:
    """A folder on this machine."""

    def __init__(self, root: Path) -> None:
        self.root, self.name = root, str(root)

    def names(self, below: str) -> list[str]:
        found = (path for path in (self.root / below).rglob("*") if path.is_file() and not path.name.startswith("."))
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def put(self, source: Path, path: str) -> None:
        target = self.root / path
        for _ in range(3):  # a concurrent prune may remove an empty folder
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                source.replace(target)
                return
        source.replace(target)

    def local(self, path: str, folder: Path) -> Path:  # noqa: ARG002 - there is nothing to copy
        found = self.root / path
        if not found.exists():
            raise FileNotFoundError(str(found))
        return found

    def address(self, path: str) -> str:
        return str(self.root / path)

    def remove(self, path: str) -> None:
        target = self.root / path
        target.unlink(missing_ok=True)
        for folder in list(target.parents)[: len(Path(path).parents) - 1]:
            with contextlib.suppress(OSError):  # the folder is not empty
                folder.rmdir()

    def workspace(self) -> Path:
        folder = self.root / f"{WRITING}{new_name()}"  # a rename is atomic within one file system
        folder.mkdir(parents=True)
        return folder

    def sweep(self, settled_s: float) -> None:
        for folder in self.root.glob(f"{WRITING}*"):
            if time.time() - written_s(folder.name.removeprefix(WRITING)) >= settled_s:
                shutil.rmtree(folder, ignore_errors=True)


class Bucket:
    """A URL that fsspec opens, such as `s3://bucket/prefix`."""

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
            with told():
                found: Any = self._system.find(f"{self._root}/{below}" if below else self._root)
        except FileNotFoundError:
            return []
        return sorted(str(one)[len(self._root) + 1 :] for one in found)

    def put(self, source: Path, path: str) -> None:
        with told():
            self._system.put_file(str(source), f"{self._root}/{path}")
        source.unlink()

    def local(self, path: str, folder: Path) -> Path:
        copy = folder / uuid.uuid4().hex / Path(path).name
        copy.parent.mkdir(parents=True)
        with told():
            self._system.get_file(f"{self._root}/{path}", str(copy))
        return copy

    def address(self, path: str) -> str:
        return f"{self.name}/{path}"

    def remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError), told():
            self._system.rm_file(f"{self._root}/{path}")

    def workspace(self) -> Path:
        import tempfile

        return Path(tempfile.mkdtemp(prefix="lambda-latency-"))

    def sweep(self, settled_s: float) -> None:
        """A bucket has no temporary files."""


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Converts every exception to OSError: fsspec's backends raise their own, for example for missing credentials."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def place_of(where: str) -> Place:
    """The storage at a folder's path or a URL. Raises ArchiveError."""
    return Bucket(where) if "://" in where else Folder(Path(where))


@contextlib.contextmanager
def working(place: Place) -> Iterator[Path]:
    """A workspace, removed at the end."""
    folder = place.workspace()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def need(package: str) -> None:
    """Raises ArchiveError if a package of the extra is missing."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ArchiveError(f"{package} is not installed, and an archive needs it", install_command("archive"))
