"""A template before any processing: its content, and the line of each value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_latency.local.app.read.mappings import misshapen
from lambda_latency.local.errors import LocalError
from lambda_latency.template import Finding, Node, missing_template, read_yaml, usual_template

USUAL = Path("template.yaml")


class TemplateError(LocalError):
    """The errors of a template, each with its file and line. Nothing of the app was started."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        same: dict[tuple[str, str, str], list[int]] = {}
        for one in findings:
            same.setdefault((one.source, one.what, one.todo), []).append(one.line)
        lines = []
        for (source, what, todo), (line, *others) in same.items():
            also = f" (also in line {', '.join(map(str, others))})" if others else ""
            lines += [f"{source}:{line}: {what}{also}", f"  {todo}"]
        super().__init__(lines[0], "\n  ".join((lines[1].strip(), *lines[2:])))


@dataclass(frozen=True, slots=True)
class Source:
    """A template file: `raw` is its content, with intrinsic functions in their long form; `root` has the lines; `notes`
    are lines for the user.
    """

    path: Path
    root: Node
    raw: dict[str, Any]
    notes: tuple[str, ...] = ()

    def line(self, *path: str) -> int:
        """The line of the value under a path of keys, or of the last key that exists."""
        node, line = self.root, self.root.line
        for key in path:
            for name, at, value in node.named():
                if name == key:
                    node, line = value, at.line
                    break
            else:
                return line
        return line

    def finding(self, path: tuple[str, ...], what: str, todo: str) -> Finding:
        """A finding at a path of keys."""
        return Finding(str(self.path), self.line(*path), what, todo)


def find_template(path: Path) -> Path:
    """The named template, or the one of the named folder; if the default name does not exist, the first existing
    alternative, such as template.yml.
    """
    folder = Path() if path == USUAL else path
    return usual_template(folder) or path if folder.is_dir() else path


def read_source(path: Path) -> Source:
    """Read one file. Raises `TemplateError`, with the line, if it is not a template."""
    name = str(path)
    if (path == USUAL and not path.exists()) or path.is_dir():
        what, todo = missing_template(path if path.is_dir() else Path())
        raise _wrong(name, 1, what, f"{todo} (--template FILE), or write the example's with lambda-latency init DIR")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        todo = "name a template with --template, or write the example's with lambda-latency init DIR"
        raise _wrong(name, 1, f"cannot be read ({error.strerror})", todo) from None
    except UnicodeDecodeError as error:
        raise _wrong(name, 1, f"not UTF-8 text: byte {error.start}", "save it as UTF-8") from None
    same: list[Finding] = []
    root = read_yaml(name, text, same=same)
    if isinstance(root, Finding):
        raise TemplateError([root])
    if root.kind != "mapping" or root.get("Resources") is None:
        raise _wrong(name, root.line, "no section Resources", "a SAM template has one; name another with --template")
    resources = root.get("Resources")
    assert resources is not None
    if resources.kind != "mapping" or not resources.entries:
        raise _wrong(name, resources.line, "Resources is empty", "name the functions there")
    wrong = misshapen(name, root)
    if wrong:
        raise TemplateError(wrong)
    notes = tuple(f"{one.source}:{one.line}: {one.what} with the same value" for one in same)
    return Source(path, root, _parsed(name, text), notes)


def _parsed(name: str, text: str) -> dict[str, Any]:
    from samcli.yamlhelper import yaml_parse

    try:
        raw = yaml_parse(text)
    except Exception as error:  # noqa: BLE001 - every error of the parser is about the file
        raise _wrong(name, 1, f"no YAML: {' '.join(str(error).split())}", "correct the file") from None
    assert isinstance(raw, dict)
    return raw


def _wrong(source: str, line: int, what: str, todo: str) -> TemplateError:
    return TemplateError([Finding(source, line, what, todo)])
