"""YAML with positions: each value has its line, and its start and end in the text."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from lambda_latency.spelling import did_you_mean

MOST_CHARACTERS = 4 * 1024 * 1024  # CloudFormation takes templates of at most 1 MB
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST_RESOURCES = 500
MOST_VALUES = 100_000  # with those that an alias repeats

Plain: TypeAlias = "str | int | float | bool | None"
SPLIT = "make it smaller, or name another file"
SCALARS = {
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:bool": lambda text: text.lower() in ("true", "yes", "on"),
    "tag:yaml.org,2002:null": lambda _: None,
}


@dataclass(frozen=True, slots=True)
class YamlNode:
    """A value of a YAML file. `kind` determines which of `value`, `items` and `entries` is used.

    `start` and `end` are offsets into the text; `line` counts from 1. `function` is an intrinsic function of
    CloudFormation (`Ref` in `!Ref Table`), whose value is known only after deployment.
    """

    kind: str  # "scalar", "list" or "mapping"
    line: int
    start: int
    end: int
    value: Plain = None
    items: tuple[YamlNode, ...] = ()
    entries: tuple[tuple[YamlNode, YamlNode], ...] = ()
    function: str = ""

    def get(self, *path: str) -> YamlNode | None:
        """The value under a path of keys, also by YAML's merge keys (`<<: *common`); None if it does not exist."""
        node: YamlNode | None = self
        for key in path:
            node = node._child(key) if node else None
        return node

    def _child(self, key: str) -> YamlNode | None:
        merged: tuple[YamlNode, ...] = ()
        for name, value in self.entries:
            if name.value == key:
                return value
            if name.value == "<<":
                merged = value.items or (value,)
        return next((node for mapping in merged if (node := mapping._child(key)) is not None), None)

    def named(self, *path: str) -> Iterator[tuple[str, YamlNode, YamlNode]]:
        """The entries of the mapping under a path of keys, if there is one: name as text, key node, value node."""
        node = self.get(*path)
        for key, value in node.entries if node else ():
            yield str(key.value), key, value

    def listed(self, *path: str) -> tuple[YamlNode, ...]:
        """The items of the list under a path of keys; empty without one."""
        node = self.get(*path)
        return node.items if node else ()

    def text_at(self, *path: str) -> str:
        """The text of the known scalar under a path of keys; empty without one."""
        node = self.get(*path)
        return node.text if node else ""

    def walk(self) -> Iterator[tuple[YamlNode | None, YamlNode]]:
        """The value itself and every value in it, each with its key, or None for an item."""
        waiting: list[tuple[YamlNode | None, YamlNode]] = [(None, self)]
        while waiting:
            key, node = waiting.pop()
            yield key, node
            waiting += reversed([*((None, item) for item in node.items), *node.entries])

    def scalars(self) -> Iterator[YamlNode]:
        """Every scalar value, without keys."""
        return (node for _, node in self.walk() if node.kind == "scalar")

    def texts(self) -> list[str]:
        """Every scalar value as text, but empty ones."""
        return [str(node.value) for node in self.scalars() if not node.empty]

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


def scalar(text: str) -> YamlNode:
    """A text as a node without a place."""
    return YamlNode("scalar", 0, 0, 0, value=text)


def read_yaml(
    source: str, text: str, twice: list[Diagnostic] | None = None, same: list[Diagnostic] | None = None
) -> YamlNode | Diagnostic:
    """The only document of a YAML text, or a finding with the reason why there is none, such as a duplicate key.

    Texts of more than `MOST_CHARACTERS` and documents of more than `MOST_VALUES`, nested too deeply, or in themselves
    by an alias are not read, nor are templates of more than `MOST_RESOURCES`, which CloudFormation refuses.

    With a list `twice`, findings about duplicate keys are added to it instead, and the last value counts, as in SAM;
    with a list `same`, those about keys with the same value.
    """
    if len(text) > MOST_CHARACTERS:
        return Diagnostic(source, 1, f"longer than {MOST_CHARACTERS:,} characters", SPLIT)
    try:
        root = _composed(text)
        if root is None:
            return Diagnostic(source, 1, "the file is empty", "write a configuration, or name another file")
        return _too_large(source, root) or _node(root, source, twice, twice if same is None else same)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return Diagnostic(
            source, line, f"invalid YAML: {error.problem}", "correct the indentation, quotes or brackets there"
        )
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return Diagnostic(
            source, line, f"invalid YAML: character {error.character!r}", "save it as text, without that character"
        )
    except _TwiceError as error:
        return error.finding
    except RecursionError:
        return Diagnostic(source, 1, "nested too deeply", "write a configuration, or name another file")


def _composed(text: str) -> yaml.Node | None:
    # JSON may be indented by tabs, which YAML refuses; spaces in their place keep the offsets.
    is_flow = text.lstrip("\ufeff \r\n\t").startswith("{")
    return yaml.compose(text.replace("\t", " ") if is_flow else text, Loader=yaml.SafeLoader)


def is_json(text: str) -> bool:
    """Whether a text is JSON, which is YAML with other rules for white space."""
    try:
        json.loads(text.lstrip("\ufeff"))
    except ValueError:
        return False
    return True


def _too_large(source: str, root: yaml.Node) -> Diagnostic | None:
    if _is_endless(root):
        return Diagnostic(source, 1, f"more than {MOST_VALUES:,} values, with those that aliases repeat", SPLIT)
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "Resources" and isinstance(value, yaml.MappingNode) and len(value.value) > MOST_RESOURCES:
            problem = f"{len(value.value):,} resources, and CloudFormation takes {MOST_RESOURCES} in a template"
            return Diagnostic(source, key.start_mark.line + 1, problem, "divide it into nested stacks")
    return None


def _is_endless(root: yaml.Node) -> bool:
    """Whether a document has more than `MOST_VALUES`, each as often as aliases repeat it."""
    waiting, count = [root], 0
    while waiting and count <= MOST_VALUES:
        node = waiting.pop()
        count += 1
        if isinstance(node, yaml.MappingNode):
            waiting += [child for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
    return count > MOST_VALUES


class _TwiceError(Exception):
    def __init__(self, finding: Diagnostic) -> None:
        super().__init__(str(finding))
        self.finding = finding


def _node(raw: yaml.Node, source: str, twice: list[Diagnostic] | None, same: list[Diagnostic] | None) -> YamlNode:
    place = (raw.start_mark.line + 1, raw.start_mark.index, raw.end_mark.index)
    function = raw.tag[1:] if raw.tag.startswith("!") else ""
    if isinstance(raw, yaml.MappingNode):
        entries = [(_node(key, source, twice, same), _node(value, source, twice, same)) for key, value in raw.value]
        unique: dict[object, tuple[YamlNode, YamlNode]] = {}
        for key, value in entries:
            if key.value in unique:
                todo = f"keep one of them; the first is in line {unique[key.value][0].line}"
                finding = Diagnostic(source, key.line, f"{key.value!r} is defined twice", todo)
                findings = same if _is_same(unique[key.value][1], value) else twice
                if findings is None:
                    raise _TwiceError(finding)
                findings.append(finding)
            unique[key.value] = (key, value)
        return YamlNode("mapping", *place, entries=tuple(unique.values()), function=function)
    if isinstance(raw, yaml.SequenceNode):
        return YamlNode(
            "list", *place, items=tuple(_node(item, source, twice, same) for item in raw.value), function=function
        )
    return YamlNode("scalar", *place, value=_plain(raw.tag, raw.value), function=function)


def _is_same(node: YamlNode, twin: YamlNode) -> bool:
    """Whether two values are the same scalar."""
    return node.kind == twin.kind == "scalar" and (node.value, node.function) == (twin.value, twin.function)


def _plain(tag: str, text: str) -> Plain:
    try:
        return SCALARS[tag](text) if tag in SCALARS else text  # type: ignore[operator]
    except ValueError:
        # 0x10, 1_000, 12:30:00: numbers in YAML 1.1, which a collector file does not need
        return text


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One finding. `problem` names the value in the file, `todo` is the remedy."""

    source: str
    line: int
    problem: str
    todo: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.problem}: {self.todo}"


def nearest(name: str, names: Collection[str], otherwise: str = "") -> str:
    """The remedy for an unknown name: the nearest known one, or all of them."""
    return did_you_mean(name, names, otherwise or f"known are {', '.join(sorted(names))}", quoted=True)
