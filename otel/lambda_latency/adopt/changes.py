"""The values of a plan: files before and after, functions as rows, templates; and how a file is read."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path

from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.functions import Subject
from lambda_latency.template import LAYER_FOLDER, Finding, Node, decoded

AS_IT_IS, SWITCHED = "as it is", "switched"  # what happens to a function that is traced already


@dataclass(frozen=True, slots=True)
class Change:
    """A changed file; `before` is None for a new one."""

    path: Path
    shown: str
    before: bytes | None
    after: bytes
    executable: bool = False

    @property
    def is_of_layer(self) -> bool:
        """Whether it is a file of the kit's layer, and none of the app's."""
        return self.shown.startswith(f"{LAYER_FOLDER}/")


@dataclass(frozen=True, slots=True)
class Row:
    """The additions to one function, as text."""

    function: str
    runtime: str
    architecture: str
    where: str
    bridge: str
    permission: str


@dataclass(slots=True)
class Plan:
    """All changes, one row per adopted function, and the findings left to a person. `root`: the template's folder.

    `outdated`: the names of the layer's files that an earlier release wrote and this one does not have.
    """

    root: Path
    template: Path
    changes: list[Change] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)
    skipped: int = 0  # Python functions that are not adopted
    unswitched: int = 0  # those of them that are traced, but not as requested

    @property
    def edited(self) -> list[Change]:
        """The files of the app that change."""
        return [one for one in self.changes if one.before is not None]

    def diff(self) -> str:
        """The edits of the app's own files as a unified diff."""
        parts: list[str] = []
        for one in self.edited:
            if one.is_of_layer:
                continue
            assert one.before is not None
            old, new = (decoded(text)[0].splitlines(keepends=True) for text in (one.before, one.after))
            lines = difflib.unified_diff(old, new, f"a/{one.shown}", f"b/{one.shown}")
            parts += [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]
        return "".join(parts)


@dataclass(slots=True)
class Template:
    """A template of the app. `children`: the properties of its nested applications that are adopted, too; `left`: the
    conditions whose values are assumed.
    """

    path: Path
    shown: str
    text: str
    root: Node
    subjects: list[Subject]
    children: list[Node] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)


def read_text(path: Path, shown: str) -> tuple[str, str]:
    """The text of a file, and its encoding. Raises `AdoptError`."""
    try:
        if not path.stat().st_mode & 0o222:
            raise AdoptError(f"{shown} is read-only", f"chmod u+w {shown}")
        return decoded(path.read_bytes())
    except UnicodeDecodeError as error:
        raise AdoptError(f"{shown}: byte {error.start} is not UTF-8", "save it as UTF-8") from None
    except OSError as error:
        raise AdoptError(f"{shown} cannot be read: {error.strerror}", "name a readable file") from None
