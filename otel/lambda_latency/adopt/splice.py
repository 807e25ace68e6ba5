"""Edits a YAML or JSON text: values are inserted, replaced or removed, and every other byte stays.

Positions come from the parsed nodes. An added value is a tree of mappings, lists and scalars; scalars are YAML source.
It is written in block style or, inside braces, in flow style; in a JSON text, as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from lambda_latency.template import Diagnostic, YamlNode, is_json, read_yaml, value_of

PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s*)*")
Tree: TypeAlias = "str | Mapping[str, Tree] | Sequence[Tree]"


class Edits:
    """A YAML or JSON text and its pending edits."""

    def __init__(self, text: str, root: YamlNode) -> None:
        self.text = text
        self.root = root
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.replaced: set[tuple[int, int]] = set()  # offsets of the values that are replaced or removed
        self._edits: list[tuple[int, int, int, str]] = []  # start, end, depth, text
        self._is_json = is_json(text)
        self._fills: dict[tuple[int, int], Tree] = {}  # the contents of empty JSON collections, by offsets
        resources = root.get("Resources")
        is_block = resources is not None and resources.entries and not self.is_flow(resources)
        self.step = max(self.column(resources.entries[0][0].start), 1) if resources is not None and is_block else 2

    def result(self) -> str:
        """The text with all edits. Of two edits at one offset, the deeper comes first, then the earlier."""
        fills = [
            (start, end, 0, as_json(content, self.newline, self._margin(start), self._unit()))
            for (start, end), content in self._fills.items()
        ]
        edits = enumerate([*self._edits, *fills])
        text = self.text
        for _, (start, end, _, put) in sorted(edits, key=lambda e: (e[1][0], -e[1][2], e[0]), reverse=True):
            text = text[:start] + put + text[end:]
        return text

    def column(self, offset: int) -> int:
        """The column of an offset."""
        line = self.text.rfind("\n", 0, offset) + 1
        return offset - line - (line == 0 and self.text.startswith("\ufeff"))

    def is_flow(self, node: YamlNode) -> bool:
        """Whether a collection is written with brackets or braces."""
        match = PROPERTIES.match(self.text, node.start)
        opening = match.end() if match else node.start
        return self.text[opening : opening + 1] in ("{", "[")

    def add_entries(self, mapping: YamlNode, entries: Mapping[str, Tree], *, apart: bool = False) -> None:
        """Adds entries at the end of a mapping, which may be empty or null; `apart`: after an empty line, in YAML."""
        if self._is_json:
            self._extend_json(mapping, entries)
        elif self._is_bare(mapping):
            self._insert_below(mapping, entries)
        elif self.is_flow(mapping):
            self._extend_flow(mapping, [f"{key}: {self._flow(value)}" for key, value in entries.items()])
        else:
            column = self.column(mapping.entries[0][0].start)
            self._insert_after(mapping, [*[""] * apart, *self._block(entries, column)], column)

    def add_items(self, sequence: YamlNode, items: Sequence[Tree]) -> None:
        """Adds items at the end of a list, which may be empty or null."""
        if self._is_json:
            self._extend_json(sequence, items)
        elif self._is_bare(sequence):
            self._insert_below(sequence, items)
        elif self.is_flow(sequence):
            self._extend_flow(sequence, [self._flow(item) for item in items])
        else:
            column = self.column(self.text.rfind("-", 0, sequence.items[0].start))
            lines = self._block(items, column)
            self._insert_after(sequence, lines, column + 1)  # the dash may be in the column of its key

    def add_section(self, name: str, entries: Mapping[str, Tree], successor: str) -> None:
        """Adds a section before another one, above the comment of that one; in JSON, at the end.

        It is set apart by an empty line where the other one is.
        """
        if self._is_json:
            self._extend_json(self.root, {name: entries})
            return
        key = next(key for section, key, _ in self.root.named() if section == successor)
        offset = self._above_comment(key.start)
        lines = self._block({name: entries}, 0)
        if self.text[:offset].endswith(2 * self.newline):
            lines.append("")
        self._edits.append((offset, offset, 0, "".join(f"{line}{self.newline}" for line in lines)))

    def _above_comment(self, offset: int) -> int:
        """The offset of the comment above a line, or of the line itself, behind a byte order mark."""
        while offset:
            line = self.text.rfind("\n", 0, offset - 1) + 1
            if not self.text[line:offset].lstrip("\ufeff").startswith("#"):
                break
            offset = line
        return 1 if offset == 0 and self.text[:1] == "\ufeff" else offset

    def replace(self, node: YamlNode, value: str) -> None:
        """Replaces a value by YAML source in one line."""
        end = node.end if node.kind == "scalar" else self._last(node) + 1
        self.replaced.add((node.start, node.end))
        self._edits.append((node.start, end, 0, as_json(value) if self._is_json else value))

    def remove(self, collection: YamlNode, values: Collection[YamlNode]) -> None:
        """Removes values of a mapping, with their keys, or of a list; in block style with the comments in their lines.

        At least one value must remain: an empty list may be deployed otherwise than none.
        """
        pairs = _pairs(collection)
        assert len(values) < len(pairs), "remove the collection's own key"
        remaining = [index for index, (_, value) in enumerate(pairs) if value not in values]
        for index, (key, value) in enumerate(pairs):
            if index in remaining:
                continue
            self.replaced.add((value.start, value.end))
            if not self.is_flow(collection):
                # From the end of the line before: lines that are added behind a removed one begin with a line end.
                previous_end = self.text.rfind("\n", 0, key.start)
                start = previous_end - (self.text[previous_end - 1 : previous_end] == "\r")
                end = self._line_end(self._last(value))
            elif index < remaining[-1]:
                start, end = key.start, pairs[index + 1][0].start
            else:
                start, end = pairs[index - 1][1].end, value.end
            self._edits.append((start, end, -1, ""))

    def prune(self, parent: YamlNode, collection: YamlNode, values: Collection[YamlNode]) -> None:
        """Removes values of a collection, which is removed from `parent` itself if none would remain."""
        if len(values) == len(_pairs(collection)):
            self.remove(parent, [collection])
        else:
            self.remove(collection, values)

    def _is_bare(self, value: YamlNode) -> bool:
        """Whether a value is null, or empty brackets at the end of their line: its content can go below its key."""
        line_rest = self.text[value.end : self._line_end(value.end)].strip()
        is_last = not line_rest or line_rest.startswith("#")
        return is_last and (value.empty or self.text[value.start : value.end] in ("{}", "[]"))

    def _insert_below(self, value: YamlNode, content: Tree) -> None:
        """Puts the content of a bare value below the line of its key."""
        if value.start < value.end:
            self._edits.append((len(self.text[: value.start].rstrip(" ")), value.end, 0, ""))
        line = self.text[self.text.rfind("\n", 0, value.start) + 1 : value.start].lstrip("\ufeff")
        column = len(line) - len(line.lstrip(" -")) + self.step
        self._insert_lines(self._line_end(value.end), self._block(content, column), column)

    def _insert_after(self, collection: YamlNode, lines: Iterable[str], depth: int) -> None:
        offset = self._line_end(self._last(collection))
        # A comment that is indented deeper belongs to the lines above it
        while offset < len(self.text):
            begin = self.text.find("\n", offset) + 1
            end = self._line_end(begin)
            line = self.text[begin:end]
            if not begin or not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) <= depth:
                break
            offset = end
        self._insert_lines(offset, lines, depth)

    def _insert_lines(self, offset: int, lines: Iterable[str], depth: int) -> None:
        self._edits.append((offset, offset, depth, "".join(f"{self.newline}{line}" for line in lines)))

    def _line_end(self, offset: int) -> int:
        """The offset of the end of a line, before its newline."""
        line_end = self.text.find("\n", offset)
        if line_end < 0:
            return len(self.text)
        return line_end - 1 if self.text[line_end - 1 : line_end] == "\r" else line_end

    def _extend_flow(self, collection: YamlNode, parts: Sequence[str]) -> None:
        closing = collection.end - 1
        inside = self.text[:closing].rstrip()
        is_empty = not collection.items and not collection.entries
        joint = "" if is_empty or inside.endswith(",") else ","
        space = " " if joint or not is_empty else ""
        self._edits.append((len(inside), len(inside), 0, f"{joint}{space}{', '.join(parts)}"))

    def _extend_json(self, collection: YamlNode, content: Tree) -> None:
        """Adds to a JSON collection: each entry in a line of its own, unless the collection is in one line."""
        pairs = _pairs(collection)
        if not pairs:  # null, or an empty collection
            place = collection.start, collection.end
            self._fills[place] = _joined(self._fills[place], content) if place in self._fills else content
            return
        start, end = pairs[0][0].start, pairs[-1][1].end
        if self.newline not in self.text[collection.start : start]:
            inside = as_json(content)[1:-1]
            self._edits.append((end, end, 0, f", {inside}"))
            return
        outer = self._margin(start).removesuffix(self._unit())
        inside = as_json(content, self.newline, outer, self._unit())[1:-1].rstrip()
        self._edits.append((end, end, 0, f",{inside}"))

    def _margin(self, offset: int) -> str:
        """The white space at the begin of a line."""
        line = self.text[self.text.rfind("\n", 0, offset) + 1 : offset]
        return line[: len(line) - len(line.lstrip())]

    def _unit(self) -> str:
        """The white space of one level of a JSON text: that of its first key."""
        return self._margin(self.root.entries[0][0].start)

    def _last(self, node: YamlNode) -> int:
        """The offset of a value's last character, without blanks and comments."""
        if node.kind == "scalar":
            if self.text[node.start : node.start + 1] in ("|", ">"):
                return max(node.start, len(self.text[: node.end].rstrip()) - 1)
            return max(node.start, node.end - 1)
        if self.is_flow(node):
            return node.end - 1
        key, value = node.entries[-1] if node.entries else (None, node.items[-1])
        least = key.end if key is not None else node.start
        return max(self._last(value), least) if value.start >= least else least

    def _flow(self, value: Tree) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, Mapping):
            return "{ " + ", ".join(f"{key}: {self._flow(child)}" for key, child in value.items()) + " }"
        return "[" + ", ".join(self._flow(child) for child in value) + "]"

    def _block(self, value: Tree, column: int) -> list[str]:
        """The lines of a mapping or a list, at a column."""
        margin = " " * column
        lines: list[str] = []
        if isinstance(value, Mapping):
            for key, child in value.items():
                if isinstance(child, str):
                    lines.append(f"{margin}{key}: {child}")
                else:
                    lines += [f"{margin}{key}:", *self._block(child, column + self.step)]
        else:
            for child in value:
                if isinstance(child, str):
                    lines.append(f"{margin}- {child}")
                else:
                    first_line, *more_lines = self._block(child, column + 2)
                    lines += [f"{margin}- {first_line.lstrip()}", *more_lines]
        return lines


def _pairs(collection: YamlNode) -> tuple[tuple[YamlNode, YamlNode], ...]:
    """The entries of a mapping, or each item of a list twice."""
    return collection.entries or tuple((item, item) for item in collection.items)


def _joined(tree: Tree, addition: Tree) -> Tree:
    """Two mappings or two lists as one."""
    if isinstance(tree, Mapping) and isinstance(addition, Mapping):
        return {**tree, **addition}
    return [*tree, *addition]


def is_equal(node: YamlNode, text: str) -> bool:
    """Whether a value is that of YAML source, in either notation of its functions."""
    read = read_yaml("", text)
    return isinstance(read, YamlNode) and value_of(read) == value_of(node)


def as_json(tree: Tree, newline: str = "", margin: str = "", unit: str = "") -> str:
    """A tree, whose scalars are YAML source, as JSON: scalars in one line, and all of it without a `newline`.

    Lines after the first begin with `margin`, and with a `unit` for each level.
    """
    if isinstance(tree, str):
        read = read_yaml("", tree)
        assert not isinstance(read, Diagnostic), tree
        return json.dumps(value_of(read), ensure_ascii=False)
    inner = margin + unit
    if isinstance(tree, Mapping):
        parts = [f"{json.dumps(key)}: {as_json(child, newline, inner, unit)}" for key, child in tree.items()]
    else:
        parts = [as_json(child, newline, inner, unit) for child in tree]
    begin, end = "{}" if isinstance(tree, Mapping) else "[]"
    if not newline:
        return f"{begin}{', '.join(parts)}{end}"
    lines = f",{newline}".join(f"{inner}{part}" for part in parts)
    return f"{begin}{newline}{lines}{newline}{margin}{end}"
