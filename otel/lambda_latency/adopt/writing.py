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
NEW, TRACES = "?? ", "traces.jsonl"  # git's mark of an untracked path, and the file in a folder that `serve` writes


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
        first = changed[0]
        raise AdoptError(f"{root} has changes that are not committed ({first.strip()})", "commit them, or use --force")


def read_record(root: Path) -> Record | None:
    """The record of an earlier adoption; None without one. Raises `AdoptError` if it is unreadable."""
    try:
        found: dict[str, Any] = json.loads((root / STATE).read_text(encoding="utf-8"))
        files = {
            name: (None if before is None else b64decode(before), digest)
            for name, (before, digest) in found["files"].items()
        }
        return Record(found["version"], files)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdoptError(f"{root / STATE} cannot be read: {error}", "restore it from git, or remove it") from None


def write(plan: Plan) -> None:
    """Writes every file of a plan, or none, and removes the outdated ones. Raises `AdoptError`."""
    before = read_record(plan.root)
    known_files = before.files if before is not None else {}
    files = {name: known for name, known in known_files.items() if name not in plan.outdated}
    for one in plan.changes:
        known = files.get(one.shown)
        # A file that an earlier run wrote and that is unchanged keeps its original.
        original = known[0] if known is not None and known[1] == _sha(one.before or b"") else one.before
        files[one.shown] = original, _sha(one.after)
    # An outdated file stays in the record until it is removed: a run that ends in between leaves nothing unnamed.
    recorded = {name: known_files[name] for name in plan.outdated}
    _replace([*plan.changes, _state(plan.root, {**files, **recorded})])
    if recorded:
        _remove(plan.root, recorded)
        _replace([_state(plan.root, files)])


def _state(root: Path, files: dict[str, tuple[bytes | None, str]]) -> Change:
    """The change that writes the record of these files."""
    state = {
        "version": VERSION,
        "files": {
            name: [None if original is None else b64encode(original).decode(), digest]
            for name, (original, digest) in sorted(files.items())
        },
    }
    path = root / STATE
    before = path.read_bytes() if path.is_file() else None
    return Change(path, str(STATE), before, (json.dumps(state, indent=1) + "\n").encode())


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
    _replace(
        Change(root / name, name, b"", original) for name, (original, _) in record.files.items() if original is not None
    )
    _remove(root, [*(name for name, (original, _) in record.files.items() if original is None), str(STATE)])
    return sorted(record.files)


def _replace(changes: Iterable[Change]) -> None:
    """Writes temporary files, then renames all of them; a failure restores the files renamed so far."""
    made: list[Path] = []
    done: list[Change] = []
    with contextlib.ExitStack() as stack:
        ready: list[tuple[Change, Replacement]] = []
        current: Path | None = None
        try:
            for one in changes:
                current = one.path
                made += _folders(one.path.parent)
                replacement = Replacement(one.path)
                stack.callback(replacement.discard)
                replacement.write(one.after)
                ready.append((one, replacement))
            for one, replacement in ready:
                current = one.path
                replacement.keep()
                done.append(one)
                if one.executable:
                    one.path.chmod(0o755)
        except OSError as error:
            for one in done:
                if one.before is None:
                    one.path.unlink(missing_ok=True)
                else:
                    one.path.write_bytes(one.before)
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
    for one in reversed(missing):
        one.mkdir()
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
