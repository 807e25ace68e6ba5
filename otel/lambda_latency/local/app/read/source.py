"""A template before any processing: its content, the line of each value, and the files next to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_latency.local.errors import LocalError
from lambda_latency.template import Diagnostic, YamlNode, missing_template, nearest, read_yaml, usual_template

USUAL = Path("template.yaml")
EXAMPLE = "write the example's with lambda-latency init DIR"
# Each part of a path is a mapping; `*` stands for every name.
MAPPINGS = (
    ("Parameters", "*"),
    ("Conditions",),
    ("Mappings", "*"),
    ("Globals", "*"),
    ("Globals", "Function", "Environment", "Variables"),
    ("Outputs", "*"),
    ("Resources", "*", "Metadata"),
    ("Resources", "*", "Properties", "Environment", "Variables"),
)
NEVER_EMPTY = ("Parameters", "*")


class TemplateError(LocalError):
    """The errors of a template, each with its file and line. Nothing of the app was started."""

    def __init__(self, findings: list[Diagnostic]) -> None:
        self.findings = findings
        by_text: dict[tuple[str, str, str], list[int]] = {}
        for finding in findings:
            by_text.setdefault((finding.source, finding.problem, finding.todo), []).append(finding.line)
        lines = []
        for (source, message, todo), (line, *more) in by_text.items():
            also = f" (also in line {', '.join(map(str, more))})" if more else ""
            lines += [f"{source}:{line}: {message}{also}", f"  {todo}"]
        super().__init__(lines[0], "\n  ".join((lines[1].strip(), *lines[2:])))


@dataclass(frozen=True, slots=True)
class SamFile:
    """A template file: `raw` is its content, with intrinsic functions in their long form; `root` has the lines; `notes`
    are lines for the user.
    """

    path: Path
    root: YamlNode
    raw: dict[str, Any]
    notes: tuple[str, ...] = ()

    def line(self, *path: str) -> int:
        """Return the line of the value under a path of keys, or of the last key that exists."""
        node, line = self.root, self.root.line
        for key in path:
            for name, key_node, value in node.named():
                if name == key:
                    node, line = value, key_node.line
                    break
            else:
                return line
        return line

    @property
    def folder(self) -> Path:
        """The template's folder."""
        return self.path.resolve().parent

    def asset(self, metadata: Any, stored: Any) -> Path | None:
        """Return the local copy of an asset that CDK or the Serverless Framework uploads; None without one.

        CDK names it in the metadata; both put it next to the template, under the last part of the key in S3 (`stored`).
        """
        names = [metadata.get("aws:asset:path") if isinstance(metadata, dict) else None]
        key = stored.get("S3Key") if isinstance(stored, dict) else None
        stored_name = key.rpartition("/")[2] if isinstance(key, str) else ""
        if stored_name:
            names += [stored_name, f"asset.{stored_name}", f"asset.{stored_name.removesuffix('.zip')}"]
        paths = (self.folder / name for name in names if isinstance(name, str))
        return next((path.resolve() for path in paths if path.exists()), None)

    def missing(self, subject: str, path: Path, keys: tuple[str, ...]) -> Diagnostic:
        """Return the finding that a file or a folder, named at a path of keys, is not there."""
        folder = path.parent.resolve()
        names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
        todo = f"{nearest(path.name, names, 'correct the name,')} or run the build that makes it in {folder}"
        return self.finding(keys, f"{subject} is not there", todo)

    def finding(self, path: tuple[str, ...], mistake: str, todo: str) -> Diagnostic:
        """Return a finding at a path of keys."""
        return Diagnostic(str(self.path), self.line(*path), mistake, todo)


def find_template(path: Path) -> Path:
    """Return the named template, or that of a folder: without the default name, the first existing alternative."""
    folder = Path() if path == USUAL else path
    return usual_template(folder) or path if folder.is_dir() else path


def read_source(path: Path) -> SamFile:
    """Read one file. Raises `TemplateError`, with the line, if it is not a template, or `LocalError` without one."""
    name = str(path)
    if (path == USUAL and not path.exists()) or path.is_dir():
        mistake, todo = missing_template(path if path.is_dir() else Path())
        raise LocalError(mistake, f"{todo}, or {EXAMPLE}")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise LocalError(f"{name}: {error.strerror}", f"name a template with --template, or {EXAMPLE}") from None
    except UnicodeDecodeError as error:
        raise _wrong(name, 1, f"not UTF-8 text: byte {error.start}", "save it as UTF-8") from None
    repeated: list[Diagnostic] = []
    root = read_yaml(name, text, same=repeated)
    if isinstance(root, Diagnostic):
        raise TemplateError([root])
    if root.kind != "mapping" or root.get("Resources") is None:
        raise _wrong(name, root.line, "no section Resources", "a SAM template has one; name another with --template")
    resources = root.get("Resources")
    assert resources is not None
    if resources.kind != "mapping" or not resources.entries:
        raise _wrong(name, resources.line, "Resources is empty", "name the functions there")
    findings = misshapen(name, root)
    if findings:
        raise TemplateError(findings)
    notes = tuple(f"{f.source}:{f.line}: {f.problem} with the same value" for f in repeated)
    return SamFile(path, root, _parsed(name, text), notes)


def _parsed(name: str, text: str) -> dict[str, Any]:
    from samcli.yamlhelper import yaml_parse

    try:
        raw = yaml_parse(text)
    except Exception as error:  # noqa: BLE001 - every error of the parser is about the file
        raise _wrong(name, 1, f"no YAML: {' '.join(str(error).split())}", "correct the file") from None
    assert isinstance(raw, dict)
    return raw


def _wrong(source: str, line: int, mistake: str, todo: str) -> TemplateError:
    return TemplateError([Diagnostic(source, line, mistake, todo)])


def misshapen(source: str, root: YamlNode) -> list[Diagnostic]:
    """Return the findings about parts that are no mappings, each once."""
    return sorted({finding for path in MAPPINGS for finding in _not_mappings(source, root, path, ())})


def _not_mappings(source: str, node: YamlNode, path: tuple[str, ...], done: tuple[str, ...]) -> Iterator[Diagnostic]:
    """Follow a path from a node; `done` are the names on the way to it."""
    if not path:
        return
    for name, key, value in node.named():
        if path[0] not in (name, "*") or value.function:
            continue
        names = (*done, name)
        is_needed = value.empty and (*done[:1], "*") == NEVER_EMPTY and len(names) == len(NEVER_EMPTY)
        if value.kind == "mapping":
            yield from _not_mappings(source, value, path[1:], names)
        elif not value.empty or is_needed:
            todo = "write its entries below it, one NAME: VALUE a line"
            yield Diagnostic(source, key.line, f"{'.'.join(names)} is not a mapping", todo)
