"""The page of the libraries, held against the code; `make libraries` holds its first table against what it sees."""

from __future__ import annotations

import re

from lambda_latency.runtime.libraries import LIBRARIES
from lambda_latency.runtime.untraceable import UNTRACEABLE
from tests.docs.pages import page
from tests.libraries.case import CASES
from tests.libraries.servers import PACKAGES
from tests.libraries.table import AGAINST, DOCS, HEAD, rows_of, with_rows

PAGE = page("reference/libraries.md")


def test_every_library_of_the_corpus_has_a_row() -> None:
    """In its order, with its server and its bucket."""
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows_of(PAGE.text)]
    assert [(row[0], row[1], row[4]) for row in rows] == [(one.name, AGAINST[one.server], one.bucket) for one in CASES]


def test_every_name_of_the_setting_has_a_row() -> None:
    """With the modules whose import is waited for, and who traces them."""
    expected: dict[str, tuple[list[str], list[str]]] = {}
    for library in LIBRARIES:
        modules, by = expected.setdefault(library.name, ([], []))
        modules.append(library.module)
        by += [who for who, on in (("upstream", library.instrumentor), ("the kit", library.driver)) if on]
    rows = PAGE.table("name | modules | by")
    assert [(name, re.findall(r"`([^`]+)`", modules), by) for name, modules, by in rows] == [
        (f"`{name}`", modules, " and ".join(dict.fromkeys(by))) for name, (modules, by) in expected.items()
    ]


def test_the_page_names_what_nothing_traces() -> None:
    """All of it, and nothing else."""
    section = PAGE.text.split("## Not traced")[1]
    assert set(re.findall(r"`([^`]+)`", section)) == UNTRACEABLE


def test_the_page_names_the_packages_of_the_servers() -> None:
    """Those that a user installs."""
    (command,) = re.findall(r"`apt install (postgresql .*?)`", page("explanation/tests.md").text)
    assert command.split() == list(PACKAGES.values())


def test_a_row_is_written_in_the_place_of_the_old_one() -> None:
    """And the others stay."""
    text = "\n".join(["# Page", *HEAD, "| a | 1 |", "| b | 2 |", "", "End."]) + "\n"
    written = with_rows(text, {"b": "| b | 3 |", "c": "| c | 4 |"})
    assert written == "\n".join(["# Page", *HEAD, "| a | 1 |", "| b | 3 |", "| c | 4 |", "", "End."]) + "\n"
    assert rows_of("no table") == []
    assert DOCS.name == "libraries.md"
