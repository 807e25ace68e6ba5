"""Writes a plan, all of its files or none, and undoes it byte for byte."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_latency.adopt.bytecode import remove_bytecode
from lambda_latency.adopt.changes import Change, Plan
from lambda_latency.adopt.errors import AdoptError
from lambda_latency.files import Replacement, unwritable
from lambda_latency.version import VERSION

STATE = Path(".lambda-latency", "adopted.json")
# git's mark of an untracked path, and the file in a folder that `serve` writes
NEW, TRACES = "?? ", "traces.jsonl"


@dataclass(frozen=True, slots=True)
class Record:
    """The written files: for each, its bytes before (None for a new file) and the digest of its new content."""

    version: str
    files: dict[str, tuple[bytes | None, str]]

    def edited_since(self, root: Path) -> list[str]:
        """The files whose content has changed since."""
        return [name for name, (_, digest) in self.files.items() if _digest(root / name) != digest]


def check_clean(root: Path) -> None:
    """Raises `AdoptError` if git has uncommitted changes. Passes without a repository or without git.

    A new folder with traces is none: `serve` and `demo` write it.
    """
    settings = ("-c", "status.relativePaths=true", "-c", "color.status=never", "-c", "core.quotePath=false")
    command = ["git", "-C", str(root), *settings, "status", "--short", "--", "."]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return
    changed = [line for line in ran.stdout.splitlines() if line[:3] != NEW or not (root / line[3:] / TRACES).is_file()]
    if ran.returncode == 0 and changed:
        change = changed[0]
        raise AdoptError(f"{root} has changes that are not committed ({change.strip()})", "commit them, or use --force")


def read_record(root: Path) -> Record | None:
    """The record of an earlier adoption; None without one. Raises `AdoptError` if it is unreadable."""
    try:
        record: dict[str, Any] = json.loads((root / STATE).read_text(encoding="utf-8"))
        files = {
            name: (None if original is None else b64decode(original), digest)
            for name, (original, digest) in record["files"].items()
        }
        return Record(record["version"], files)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdoptError(f"{root / STATE} cannot be read: {error}", "restore it from git, or remove it") from None


def write(plan: Plan) -> None:
    """Writes every file of a plan, or none, and removes the outdated ones. Raises `AdoptError`."""
    record = read_record(plan.root)
    known_files = record.files if record is not None else {}
    files = {name: written for name, written in known_files.items() if name not in plan.outdated}
    for change in plan.changes:
        written = files.get(change.shown)
        # A file that an earlier run wrote and that is unchanged keeps its original.
        original = written[0] if written is not None and written[1] == _sha(change.original or b"") else change.original
        files[change.shown] = original, _sha(change.content)
    # An outdated file stays in the record until it is removed: a run that ends in between leaves nothing unnamed.
    recorded = {name: known_files[name] for name in plan.outdated}
    _replace([*plan.changes, _record_change(plan.root, {**files, **recorded})])
    if recorded:
        _remove(plan.root, recorded)
        _replace([_record_change(plan.root, files)])


def _record_change(root: Path, files: dict[str, tuple[bytes | None, str]]) -> Change:
    """The change that writes the record of these files."""
    state = {
        "version": VERSION,
        "files": {
            name: [None if original is None else b64encode(original).decode(), digest]
            for name, (original, digest) in sorted(files.items())
        },
    }
    path = root / STATE
    original = path.read_bytes() if path.is_file() else None
    return Change(path, str(STATE), original, (json.dumps(state, indent=1) + "\n").encode())


def undo(root: Path) -> list[str]:
    """Restores the originals; returns the names of the files. Raises `AdoptError`, and then changes nothing."""
    record = read_record(root)
    if record is None:
        raise AdoptError(f"{root} has no {STATE}", "nothing was written here, or it was undone already")
    edited = record.edited_since(root)
    if edited:
        shown = ", ".join(edited[:5]) + (f" and {len(edited) - 5} more" if len(edited) > 5 else "")
        raise AdoptError(f"edited since they were written: {shown}", "undo your edits first, or take git's version")
    remove_bytecode(root)
    originals = {name: original for name, (original, _) in record.files.items()}
    _replace(Change(root / name, name, b"", text) for name, text in originals.items() if text is not None)
    _remove(root, [*(name for name, text in originals.items() if text is None), str(STATE)])
    return sorted(record.files)


def _replace(changes: Iterable[Change]) -> None:
    """Writes temporary files, then renames all of them; a failure restores the files renamed so far."""
    made: list[Path] = []
    done: list[Change] = []
    with contextlib.ExitStack() as stack:
        ready: list[tuple[Change, Replacement]] = []
        current: Path | None = None
        try:
            for change in changes:
                current = change.path
                made += _folders(change.path.parent)
                replacement = Replacement(change.path)
                stack.callback(replacement.discard)
                replacement.write(change.content)
                ready.append((change, replacement))
            for change, replacement in ready:
                current = change.path
                replacement.commit()
                done.append(change)
                if change.executable:
                    change.path.chmod(0o755)
        except OSError as error:
            for change in done:
                if change.original is None:
                    change.path.unlink(missing_ok=True)
                else:
                    change.path.write_bytes(change.original)
            stack.close()
            for folder in reversed(made):
                with contextlib.suppress(OSError):
                    folder.rmdir()
            raise AdoptError(unwritable(current, error), "nothing was changed") from None


def _folders(folder: Path) -> list[Path]:
    """Makes a folder and its parents; returns the new ones, from the top down."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new_folder in reversed(missing):
        new_folder.mkdir()
    return missing[::-1]


def _remove(root: Path, names: Iterable[str]) -> None:
    """Removes files, and the folders that are empty then."""
    for name in names:
        path = root / name
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == root or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()


def _digest(path: Path) -> str:
    try:
        return _sha(path.read_bytes())
    except OSError:
        return ""


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
