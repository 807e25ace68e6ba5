"""The page of the attributes is their registry: each row agrees with the code, and each key in the code has a row.

A key is a text of the form `aws.table_name` whose first word begins a key of the page, anywhere in a module but in a
docstring, or any text that is given to `set_attribute`. An imported constant counts as its text.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from lambda_latency.runtime.coldstart.standins import CONVENTIONS
from lambda_latency.runtime.delivery.encoding import INDEXED
from lambda_latency.template import Collector, read_collector
from tests.docs.pages import ROOT, page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PAGE = page("reference/attributes.md")
KIT = ROOT / "otel/lambda_latency"
KEY = re.compile(r"[a-z][a-z0-9_]*(?:\.[A-Za-z]\w*)+\.?")
# Modules with other names of the form of a key: upstream's constants, modules of Python, texts and span names.
OTHER_MODULES = (
    "example",
    "runtime/coldstart",
    "runtime/libraries.py",
    "text/page_words.py",
    "trace/model/platform.py",
)
# Module of Python, prefix of several keys, message of ASGI, sender of an event, scope of spans, column of a store.
OTHER_NAMES = frozenset(
    {
        "aws.cloudwatch",
        "host.docker.internal",
        "http.client",
        "http.re",
        "http.response.body",
        "http.response.start",
        "session.id",
    }
)


class Row(NamedTuple):
    """What the page says of one key. A key that ends with a dot stands for all that begin with it."""

    setters: frozenset[str]
    readers: frozenset[str]
    is_annotation: bool


class Place(NamedTuple):
    """A line of the code that has a key, and the name that the page gives to this part of the code."""

    part: str
    line: str


def names(cell: str) -> list[str]:
    """The names in code marks; `*` at the end of a prefix is left out."""
    return [name.removesuffix("*") for name in re.findall(r"`([^`]+)`", cell)]


def rows() -> dict[str, Row]:
    """The rows of all tables with five columns, by key."""
    by_key: dict[str, Row] = {}
    for line in PAGE.text.splitlines():
        cells = line.split("|")[1:-1]
        if len(cells) != 5 or not cells[0].startswith(" `"):
            continue
        keys, _meaning, setters, readers, annotation = cells
        row = Row(frozenset(names(setters)), frozenset(names(readers)), annotation.strip() == "yes")
        for key in names(keys):
            assert key not in by_key, f"{PAGE.path} has two rows of {key}"
            by_key[key] = row
    return by_key


def folders() -> dict[str, str]:
    """The folder or module of each part of the code, by the name that the page gives it."""
    return {names(name)[0]: names(code)[0] for name, _, code in PAGE.table("name | what it is | code") if names(code)}


ROWS = rows()
FOLDERS = folders()
NAMESPACES = {key.partition(".")[0] for key in ROWS if "." in key}


def part_of(module: str) -> str:
    """The part of the code that a module of the kit belongs to: the one with the longest path; its path if none is."""
    parts = [name for name, folder in FOLDERS.items() if f"{module}/".startswith(f"{folder}/")]
    return max(parts, key=lambda name: len(FOLDERS[name]), default=module)


def is_key(word: str) -> bool:
    """Whether a word is the key of an attribute."""
    namespace, _, name = word.partition(".")
    if word in ROWS:
        return True
    if namespace not in NAMESPACES or word in OTHER_NAMES or not KEY.fullmatch(word):
        return False
    return namespace != KIT.name or not any(KIT.glob(f"{name.partition('.')[0]}*"))


def spelled_keys(tree: ast.Module, constants: Mapping[tuple[str, str], str]) -> Iterator[tuple[str, int]]:
    """The keys in the texts of a module and behind the constants that it imports, with their lines."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):  # a statement comes before its value
        if isinstance(node, ast.Expr):
            skipped.add(node.value)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INDEXED":
            skipped.update(ast.walk(node.value))  # the last column has these
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield from ((word, node.lineno) for word in node.value.split() if is_key(word))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "set_attribute":
            key = ast.literal_eval(node.args[0]) if isinstance(node.args[0], ast.Constant) else ""
            if key and not is_key(key):
                yield key, node.lineno
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lambda_latency."):
            room = (node.module or "").split(".")[1]
            yield from (
                (constants[room, name.name], node.lineno) for name in node.names if (room, name.name) in constants
            )


def constants_of(trees: Mapping[str, ast.Module]) -> dict[tuple[str, str], str]:
    """The constants of modules that are keys, by room and name."""
    constants: dict[tuple[str, str], str] = {}
    for module, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value in ROWS:
                names_of = (target.id for target in node.targets if isinstance(target, ast.Name))
                constants |= {(module.split("/")[0], name): str(node.value.value) for name in names_of}
    return constants


@cache
def places() -> dict[str, list[Place]]:
    """Where the code has each key."""
    trees = {path.relative_to(KIT).as_posix(): ast.parse(path.read_text("utf-8")) for path in sorted(KIT.rglob("*.py"))}
    constants = constants_of(trees)
    by_key: dict[str, list[Place]] = defaultdict(list)
    for module, tree in trees.items():
        if module.startswith(OTHER_MODULES):
            continue
        for key, line in spelled_keys(tree, constants):
            by_key[key].append(Place(part_of(module), f"otel/lambda_latency/{module}:{line}"))
    return by_key


def no_problem(problems: Iterable[str]) -> None:
    """Fail with a line for each problem."""
    lines = sorted(set(problems))
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def test_every_attribute_in_the_code_has_a_row() -> None:
    """And every part of the code that has one has a name."""
    no_problem(f"{u[0].line} has {key}: add its row to {PAGE.path}" for key, u in places().items() if key not in ROWS)
    unnamed = (place for uses in places().values() for place in uses if place.part not in FOLDERS)
    no_problem(f"{place.line} has an attribute: name its folder in {PAGE.path}" for place in unnamed)


def test_a_row_names_the_parts_of_the_code_that_have_the_attribute() -> None:
    """All of them, and no other, as what sets it or as what reads it."""
    problems: list[str] = []
    for key, row in ROWS.items():
        named = (row.setters | row.readers) & FOLDERS.keys()
        having = {place.part: place.line for place in reversed(places().get(key, []))}
        problems += [
            f"{having[part]} has {key}: name `{part}` in its row of {PAGE.path} (set by, or read by)"
            for part in having.keys() - named
        ]
        problems += [
            f"the row of {key} in {PAGE.path} names `{part}`: nothing in otel/lambda_latency/{FOLDERS[part]} has it"
            for part in named - having.keys()
        ]
        if not named:
            problems.append(f"the row of {key} in {PAGE.path} names no part of the code: remove it")
    no_problem(problems)


def test_a_row_names_what_the_page_explains() -> None:
    """What sets an attribute outside of the kit has a name, too."""
    explained = {names(name)[0] for name, _, _ in PAGE.table("name | what it is | code")}
    assert {name for row in ROWS.values() for name in row.setters | row.readers} == explained


def test_the_rows_of_annotations_are_those_that_x_ray_indexes() -> None:
    """In the runtime, which names them in each span, and in the collector's exporter."""
    collector = read_collector(ROOT / "collector.yaml")
    assert isinstance(collector, Collector)
    annotations = {key for key, row in ROWS.items() if row.is_annotation}
    lists = {
        "INDEXED in otel/lambda_latency/runtime/delivery/encoding.py": INDEXED,
        "indexed_attributes in collector.yaml": {*collector.indexed_attributes()},
    }
    for name, indexed in lists.items():
        no_problem(f"{key} must be in {name}: {PAGE.path} says so" for key in annotations - indexed)
        no_problem(f'{key} is in {name}: its row of {PAGE.path} must end with "yes"' for key in indexed - annotations)


def test_the_names_of_the_semantic_conventions_are_set_by_instrumentations() -> None:
    """The runtime's copy has what the instrumentations import."""
    conventional = {key for keys in CONVENTIONS.values() for key in keys.split()}
    rows = (key for key in conventional & ROWS.keys() if "instrumentations" not in ROWS[key].setters)
    no_problem(f"runtime/coldstart/standins.py has {key}: name `instrumentations` in its row" for key in rows)
