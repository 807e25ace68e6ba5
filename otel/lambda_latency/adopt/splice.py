"""Edits a YAML or JSON text: values are inserted, replaced or removed, and every other byte stays.

Positions come from the parsed nodes. An added value is a tree of mappings, lists and scalars; scalars are YAML source.
It is written in block style or, inside braces, in flow style; in a JSON text, as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from lambda_latency.adopt.json_text import Tree, as_json
from lambda_latency.template import Node, is_json

PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s*)*")


class Spliced:
    """A YAML or JSON text and its pending edits."""

    def __init__(self, text: str, root: Node) -> None:
        self.text = text
        self.root = root
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.replaced: set[tuple[int, int]] = set()  # offsets of the values that are replaced or removed
        self._edits: list[tuple[int, int, int, str]] = []  # start, end, depth, text
        self._sections: set[int] = set()  # offsets of added sections
        self._is_json = is_json(text)
        self._fills: dict[tuple[int, int], Tree] = {}  # the contents of empty JSON collections, by their offsets
        resources = root.get("Resources")
        is_block = resources is not None and resources.entries and not self.is_flow(resources)
        self.step = max(self.column(resources.entries[0][0].start), 1) if resources is not None and is_block else 2

    def result(self) -> str:
        """The text with all edits. Of two edits at one offset, the deeper comes first, then the earlier."""
        fills = [
            (start, end, 0, as_json(content, self.newline, self._margin(start), self._unit()))
            for (start, end), content in self._fills.items()
        ]
        order = sorted(enumerate([*self._edits, *fills]), key=lambda one: (one[1][0], -one[1][2], one[0]), reverse=True)
        text = self.text
        for _, (start, end, _, put) in order:
            text = text[:start] + put + text[end:]
        return text

    @property
    def changed(self) -> bool:
        """Whether anything was added."""
        return bool(self._edits or self._fills)

    def column(self, offset: int) -> int:
        """The column of an offset."""
        line = self.text.rfind("\n", 0, offset) + 1
        return offset - line - (line == 0 and self.text.startswith("\ufeff"))

    def is_flow(self, node: Node) -> bool:
        """Whether a collection is written with brackets or braces."""
        match = PROPERTIES.match(self.text, node.start)
        at = match.end() if match else node.start
        return self.text[at : at + 1] in ("{", "[")

    def add_entries(self, mapping: Node, entries: Mapping[str, Tree], *, apart: bool = False) -> None:
        """Adds entries at the end of a mapping, which may be empty or null; `apart`: after an empty line, in YAML."""
        if self._is_json:
            self._into_json(mapping, entries)
            return
        if self._is_bare(mapping):
            self._below(mapping, entries)
            return
        if self.is_flow(mapping):
            self._into_flow(mapping, [f"{key}: {self._flow(value)}" for key, value in entries.items()])
            return
        column = self.column(mapping.entries[0][0].start)
        self._after(mapping, [*[""] * apart, *self._block(entries, column)], column)

    def add_items(self, sequence: Node, items: Sequence[Tree]) -> None:
        """Adds items at the end of a list, which may be empty or null."""
        if self._is_json:
            self._into_json(sequence, items)
            return
        if self._is_bare(sequence):
            self._below(sequence, items)
            return
        if self.is_flow(sequence):
            self._into_flow(sequence, [self._flow(item) for item in items])
            return
        column = self.column(self.text.rfind("-", 0, sequence.items[0].start))
        self._after(sequence, self._block(items, column), column + 1)  # the dash may be in the column of its key

    def add_section(self, name: str, entries: Mapping[str, Tree], before: str) -> None:
        """Adds a section before another one, above the comment of that one; in JSON, at the end."""
        if self._is_json:
            self._into_json(self.root, {name: entries})
            return
        key = next(key for known, key, _ in self.root.named() if known == before)
        at = key.start
        while at:
            line = self.text.rfind("\n", 0, at - 1) + 1
            if not self.text[line:at].lstrip("\ufeff").startswith("#"):
                break
            at = line
        if at == 0 and self.text[:1] == "\ufeff":
            at = 1
        lines = [*self._block({name: entries}, 0), ""]
        if (
            self.text[:at].strip("\ufeff\r\n")
            and not self.text[:at].endswith(2 * self.newline)
            and at not in self._sections
        ):
            lines.insert(0, "")
        self._sections.add(at)
        self._edits.append((at, at, 0, "".join(f"{line}{self.newline}" for line in lines)))

    def replace(self, node: Node, value: str) -> None:
        """Replaces a value by YAML source in one line."""
        end = node.end if node.kind == "scalar" else self._last(node) + 1
        self.replaced.add((node.start, node.end))
        self._edits.append((node.start, end, 0, as_json(value) if self._is_json else value))

    def remove(self, collection: Node, values: Collection[Node]) -> None:
        """Removes values of a mapping, with their keys, or of a list; in block style with the comments in their lines.

        At least one value must remain: an empty list may be deployed otherwise than none.
        """
        pairs = collection.entries or tuple((item, item) for item in collection.items)
        assert len(values) < len(pairs), "remove the collection's own key"
        self.replaced |= {(value.start, value.end) for value in values}
        remaining = [index for index, (_, value) in enumerate(pairs) if value not in values]
        for index, (key, value) in enumerate(pairs):
            if index in remaining:
                continue
            if not self.is_flow(collection):
                # From the end of the line before: lines that are added behind a removed one begin with a line end.
                before = self.text.rfind("\n", 0, key.start)
                start = before - (self.text[before - 1 : before] == "\r")
                end = self._line_end(self._last(value))
            elif index < remaining[-1]:
                start, end = key.start, pairs[index + 1][0].start
            else:
                start, end = pairs[index - 1][1].end, value.end
            self._edits.append((start, end, -1, ""))

    def _is_bare(self, value: Node) -> bool:
        """Whether a value is null, or empty brackets at the end of their line: its content can go below its key."""
        rest = self.text[value.end : self._line_end(value.end)].strip()
        is_last = not rest or rest.startswith("#")
        return is_last and (value.empty or self.text[value.start : value.end] in ("{}", "[]"))

    def _below(self, value: Node, content: Tree) -> None:
        """Puts the content of a bare value below the line of its key."""
        if value.start < value.end:
            self._edits.append((len(self.text[: value.start].rstrip(" ")), value.end, 0, ""))
        line = self.text[self.text.rfind("\n", 0, value.start) + 1 : value.start].lstrip("\ufeff")
        column = len(line) - len(line.lstrip(" -")) + self.step
        at = self._line_end(value.end)
        self._edits.append((at, at, column, "".join(f"{self.newline}{one}" for one in self._block(content, column))))

    def _after(self, collection: Node, lines: Iterable[str], depth: int) -> None:
        at = self._line_end(self._last(collection))
        while at < len(self.text):  # a comment that is indented deeper belongs to the lines above it
            begin = self.text.find("\n", at) + 1
            end = self._line_end(begin)
            line = self.text[begin:end]
            if not begin or not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) <= depth:
                break
            at = end
        self._edits.append((at, at, depth, "".join(f"{self.newline}{line}" for line in lines)))

    def _line_end(self, offset: int) -> int:
        """The offset of the end of a line, before its newline."""
        at = self.text.find("\n", offset)
        if at < 0:
            return len(self.text)
        return at - 1 if self.text[at - 1 : at] == "\r" else at

    def _into_flow(self, collection: Node, parts: Sequence[str]) -> None:
        at = collection.end - 1
        inside = self.text[:at].rstrip()
        is_empty = not collection.items and not collection.entries
        joint = "" if is_empty or inside.endswith(",") else ","
        space = " " if joint or not is_empty else ""
        self._edits.append((len(inside), len(inside), 0, f"{joint}{space}{', '.join(parts)}"))

    def _into_json(self, collection: Node, content: Tree) -> None:
        """Adds to a JSON collection: each entry in a line of its own, unless the collection is in one line."""
        last = collection.entries[-1][1] if collection.entries else collection.items[-1] if collection.items else None
        first = collection.entries[0][0] if collection.entries else last
        if first is None or last is None:  # null, or an empty collection
            place = collection.start, collection.end
            self._fills[place] = _joined(self._fills[place], content) if place in self._fills else content
            return
        in_one_line = self.newline not in self.text[collection.start : first.start]
        if in_one_line:
            inside = as_json(content)[1:-1]
            self._edits.append((last.end, last.end, 0, f", {inside}"))
            return
        margin = self._margin(first.start)
        outer = margin.removesuffix(self._unit())
        inside = as_json(content, self.newline, outer, self._unit())[1:-1].rstrip()
        self._edits.append((last.end, last.end, 0, f",{inside}"))

    def _margin(self, offset: int) -> str:
        """The white space at the begin of a line."""
        line = self.text[self.text.rfind("\n", 0, offset) + 1 : offset]
        return line[: len(line) - len(line.lstrip())]

    def _unit(self) -> str:
        """The white space of one level of a JSON text: that of its first key."""
        return self._margin(self.root.entries[0][0].start)

    def _last(self, node: Node) -> int:
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
            return "{ " + ", ".join(f"{key}: {self._flow(one)}" for key, one in value.items()) + " }"
        return "[" + ", ".join(self._flow(one) for one in value) + "]"

    def _block(self, value: Tree, column: int) -> list[str]:
        """The lines of a mapping or a list, at a column."""
        margin = " " * column
        lines: list[str] = []
        if isinstance(value, Mapping):
            for key, one in value.items():
                if isinstance(one, str):
                    lines.append(f"{margin}{key}: {one}")
                else:
                    lines += [f"{margin}{key}:", *self._block(one, column + self.step)]
        else:
            for one in value:
                if isinstance(one, str):
                    lines.append(f"{margin}- {one}")
                else:
                    first, *others = self._block(one, column + 2)
                    lines += [f"{margin}- {first.lstrip()}", *others]
        return lines


def _joined(one: Tree, other: Tree) -> Tree:
    """Two mappings or two lists as one."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {**one, **other}
    return [*one, *other]
