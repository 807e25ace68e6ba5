"""The values of a plan: changed files, summaries of functions, templates; and how a file is read."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path

from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.functions import AppFn
from lambda_latency.template import LAYER_FOLDER, Diagnostic, YamlNode, decoded

# Of a line of a template: the values of headers are keys
OTLP_HEADERS = re.compile(r"(OTEL_EXPORTER_OTLP_\w*HEADERS[\"']?\s*:\s*)\S.*")
MOST_BYTES = 4 * 1024 * 1024  # of a template or a file of requirements
AS_IT_IS, SWITCHED = "as it is", "switched"  # what happens to a function that is traced already


@dataclass(frozen=True, slots=True)
class Change:
    """A changed file; `original` is None for a new one."""

    path: Path
    shown: str
    original: bytes | None
    content: bytes
    executable: bool = False

    @property
    def is_of_layer(self) -> bool:
        """Whether it is a file of the kit's layer, and none of the app's."""
        return self.shown.startswith(f"{LAYER_FOLDER}/")


@dataclass(frozen=True, slots=True)
class FunctionSummary:
    """The additions to one function, as text."""

    function: str
    runtime: str
    architecture: str
    where: str
    bridge: str
    permission: str


@dataclass(slots=True)
class Plan:
    """All changes, a summary of each adopted function, and findings for a person. `root`: the template's folder.

    `outdated`: the names of the layer's files that an earlier release wrote and this one does not have.
    """

    root: Path
    template: Path
    changes: list[Change] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    summaries: list[FunctionSummary] = field(default_factory=list)
    findings: list[Diagnostic] = field(default_factory=list)
    skipped: int = 0  # Python functions that are not adopted
    unswitched: int = 0  # those of them that are traced, but not as requested

    @property
    def edited(self) -> list[Change]:
        """The files of the app that change."""
        return [change for change in self.changes if change.original is not None]

    def diff(self) -> str:
        """The edits of the app's own files as a unified diff."""
        parts: list[str] = []
        for change in (change for change in self.edited if not change.is_of_layer):
            assert change.original is not None
            old, new = (decoded(text)[0].splitlines(keepends=True) for text in (change.original, change.content))
            lines = difflib.unified_diff(old, new, f"a/{change.shown}", f"b/{change.shown}")
            parts += [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]
        return OTLP_HEADERS.sub(r"\1[redacted]", "".join(parts))


@dataclass(slots=True)
class Template:
    """A template of the app. `children`: the properties of its nested applications that are adopted, too; `findings`:
    the conditions whose values are assumed.
    """

    path: Path
    shown: str
    text: str
    root: YamlNode
    functions: list[AppFn]
    children: list[YamlNode] = field(default_factory=list)
    findings: list[Diagnostic] = field(default_factory=list)

    @property
    def python_functions(self) -> list[AppFn]:
        """The Python functions that need no edit by hand."""
        return [fn for fn in self.functions if fn.is_python]

    @property
    def obstacles(self) -> list[Diagnostic]:
        """The reasons why functions must be edited by hand, each once."""
        return [*dict.fromkeys(fn.obstacle for fn in self.functions if fn.obstacle is not None)]


def read_text(path: Path, shown: str) -> tuple[str, str]:
    """The text of a file, and its encoding. Raises `AdoptError`."""
    try:
        status = path.stat()
        if not status.st_mode & 0o222:
            raise AdoptError(f"{shown} is read-only", f"chmod u+w {shown}")
        if status.st_size > MOST_BYTES:
            raise AdoptError(f"{shown} is longer than {MOST_BYTES:,} bytes", "make it smaller")
        return decoded(path.read_bytes())
    except UnicodeDecodeError as error:
        raise AdoptError(f"{shown}: byte {error.start} is not UTF-8", "save it as UTF-8") from None
    except OSError as error:
        raise AdoptError(f"{shown} cannot be read: {error.strerror}", "name a readable file") from None
