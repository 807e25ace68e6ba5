"""A collector file: its components by section, its pipelines, and its text with one exporter replaced."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lambda_latency.template.finding import Finding
from lambda_latency.template.node import Node, read_yaml

VARIABLE = re.compile(r"\$\{(?:env:)?(\w+)(?::-([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Collector:
    """A collector file with valid YAML; `check_collector` checks its content."""

    source: str
    text: str
    root: Node

    def indexed_attributes(self, exporter: str = "awsxray") -> tuple[str, ...]:
        """The attributes that X-Ray can search by."""
        return tuple(str(item.value) for item in self.root.listed("exporters", exporter, "indexed_attributes"))

    def with_exporter(self, old: str, new: str, block: str) -> str:
        """The text with one exporter replaced, in its block and in every pipeline; the rest is unchanged.

        `block` is the new exporter's configuration on one line.
        """
        changes = [
            (key.start, value.end, f"{new}: {block}\n\n")
            for name, key, value in self.root.named("exporters")
            if name == old
        ]
        for _, _, pipeline in self.root.named("service", "pipelines"):
            changes += [(one.start, one.end, new) for one in pipeline.listed("exporters") if one.value == old]
        text = self.text
        for start, end, put in sorted(changes, reverse=True):
            text = text[:start] + put + text[end:]
        return text


def read_collector(path: Path) -> Collector | Finding:
    """The collector file at `path`, or the finding with the reason why it cannot be read."""
    source = str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return Finding(source, 1, f"cannot be read ({error.strerror})", "name a file that exists")
    except UnicodeDecodeError as error:
        return Finding(source, 1, f"not UTF-8 text: byte {error.start}", "save it as UTF-8")
    root = read_yaml(source, text)
    if isinstance(root, Finding):
        return root
    if root.kind != "mapping":
        return Finding(source, root.line, f"a {root.kind}", "write receivers:, exporters: and service:")
    return Collector(source, text, root)


def expanded(text: str) -> str:
    """A value with its variables replaced by their defaults: `${env:HOST:-localhost}:4318` is `localhost:4318`."""
    return VARIABLE.sub(lambda variable: variable[2] or "", text)
