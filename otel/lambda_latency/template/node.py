"""YAML with positions: each value has its line, and its start and end in the text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from lambda_latency.template.finding import Finding

Plain: TypeAlias = "str | int | float | bool | None"
SCALARS = {
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:bool": lambda text: text.lower() in ("true", "yes", "on"),
    "tag:yaml.org,2002:null": lambda _: None,
}


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a YAML file. `kind` determines which of `value`, `items` and `entries` is used.

    `start` and `end` are offsets into the text; `line` counts from 1. `function` is an intrinsic function of
    CloudFormation (`Ref` in `!Ref Table`), whose value is known only after deployment.
    """

    kind: str  # "scalar", "list" or "mapping"
    line: int
    start: int
    end: int
    value: Plain = None
    items: tuple[Node, ...] = ()
    entries: tuple[tuple[Node, Node], ...] = ()
    function: str = ""

    def get(self, *path: str) -> Node | None:
        """The value under a path of keys, also by YAML's merge keys (`<<: *common`); None if it does not exist."""
        found: Node | None = self
        for key in path:
            found = found._under(key) if found else None
        return found

    def _under(self, key: str) -> Node | None:
        merged: tuple[Node, ...] = ()
        for name, value in self.entries:
            if name.value == key:
                return value
            if name.value == "<<":
                merged = value.items or (value,)
        return next((found for one in merged if (found := one._under(key)) is not None), None)

    def named(self, *path: str) -> Iterator[tuple[str, Node, Node]]:
        """The entries of the mapping under a path of keys, if there is one: name as text, key node, value node."""
        found = self.get(*path)
        for key, value in found.entries if found else ():
            yield str(key.value), key, value

    def listed(self, *path: str) -> tuple[Node, ...]:
        """The items of the list under a path of keys; empty without one."""
        found = self.get(*path)
        return found.items if found else ()

    def text_at(self, *path: str) -> str:
        """The text of the known scalar under a path of keys; empty without one."""
        found = self.get(*path)
        return found.text if found else ""

    def scalars(self) -> Iterator[Node]:
        """Every scalar value, without keys."""
        if self.kind == "scalar":
            yield self
        for item in (*self.items, *(value for _, value in self.entries)):
            yield from item.scalars()

    @property
    def empty(self) -> bool:
        """Whether the value is empty, as in `debug:`."""
        return self.kind == "scalar" and self.value is None

    @property
    def is_known(self) -> bool:
        """Whether it is a scalar with a value, and no intrinsic function."""
        return self.kind == "scalar" and not self.function and self.value is not None

    @property
    def text(self) -> str:
        """The text of a known scalar in CloudFormation's notation (`true`, not `True`); empty for other values."""
        if not self.is_known:
            return ""
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)


def read_yaml(
    source: str, text: str, twice: list[Finding] | None = None, same: list[Finding] | None = None
) -> Node | Finding:
    """The only document of a YAML text, or a finding with the reason why there is none, such as a duplicate key.

    With a list `twice`, findings about duplicate keys are added to it instead, and the last value counts, as in SAM;
    with a list `same`, those about keys with the same value.
    """
    try:
        # JSON may be indented by tabs, which YAML refuses; spaces in their place keep the offsets.
        is_flow = text.lstrip("\ufeff \r\n\t").startswith("{")
        root = yaml.compose(text.replace("\t", " ") if is_flow else text, Loader=yaml.SafeLoader)
        if root is None:
            return Finding(source, 1, "the file is empty", "write a configuration, or name another file")
        return _node(root, source, twice, twice if same is None else same)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return Finding(
            source, line, f"invalid YAML: {error.problem}", "correct the indentation, quotes or brackets there"
        )
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return Finding(
            source, line, f"invalid YAML: character {error.character!r}", "save it as text, without that character"
        )
    except _TwiceError as error:
        return error.finding


def is_json(text: str) -> bool:
    """Whether a text is JSON, which is YAML with other rules for white space."""
    try:
        json.loads(text.lstrip("\ufeff"))
    except ValueError:
        return False
    return True


class _TwiceError(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def _node(raw: yaml.Node, source: str, twice: list[Finding] | None, same: list[Finding] | None) -> Node:
    place = (raw.start_mark.line + 1, raw.start_mark.index, raw.end_mark.index)
    function = raw.tag[1:] if raw.tag.startswith("!") else ""
    if isinstance(raw, yaml.MappingNode):
        entries = [(_node(key, source, twice, same), _node(value, source, twice, same)) for key, value in raw.value]
        seen: dict[object, tuple[Node, Node]] = {}
        for key, value in entries:
            if key.value in seen:
                todo = f"keep one of them; the first is in line {seen[key.value][0].line}"
                finding = Finding(source, key.line, f"{key.value!r} is defined twice", todo)
                known = same if _is_same(seen[key.value][1], value) else twice
                if known is None:
                    raise _TwiceError(finding)
                known.append(finding)
            seen[key.value] = (key, value)
        return Node("mapping", *place, entries=tuple(seen.values()), function=function)
    if isinstance(raw, yaml.SequenceNode):
        return Node(
            "list", *place, items=tuple(_node(item, source, twice, same) for item in raw.value), function=function
        )
    return Node("scalar", *place, value=_plain(raw.tag, raw.value), function=function)


def _is_same(one: Node, other: Node) -> bool:
    """Whether two values are the same scalar."""
    return one.kind == other.kind == "scalar" and (one.value, one.function) == (other.value, other.function)


def _plain(tag: str, text: str) -> Plain:
    try:
        return SCALARS[tag](text) if tag in SCALARS else text  # type: ignore[operator]
    except ValueError:
        return text  # 0x10, 1_000, 12:30:00: numbers in YAML 1.1, which a collector file does not need
