"""The spellings of the report's benchmark: each is written as it says, and all are the same spans."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.generate import Document, realistic_traces
from lab.report_speed import spelling
from tests.lab.report_speed.reading import spans_in

Spelling = Callable[[Document, random.Random], str]
SPELLINGS: list[Spelling] = [getattr(spelling, name) for name in spelling.__all__]
SPAN: dict[str, Any] = {
    "kind": 2,
    "startTimeUnixNano": "12",
    "attributes": [{"key": "a.b", "value": {"intValue": "7"}}, {"key": "url", "value": {"stringValue": "/x-y"}}],
    "status": {},
}
BEGIN, END = '{"resourceSpans":[{"scopeSpans":[{"spans":[', "]}]}]}"
TIME = '"startTimeUnixNano":"12"'
PAIRS = '{"key":"a.b","value":{"intValue":"7"}},{"key":"url","value":{"stringValue":"/x-y"}}'


def _written(spell: Spelling) -> str:
    document = {"resourceSpans": [{"scopeSpans": [{"spans": [json.loads(json.dumps(SPAN))]}]}]}
    return spell(document, random.Random(1))  # noqa: S311 - a seed that can be repeated


def test_compact_has_no_blanks() -> None:
    """As most exporters write it."""
    expected = f'{BEGIN}{{"kind":2,{TIME},"attributes":[{PAIRS}],"status":{{}}}}{END}'
    assert _written(spelling.compact) == expected
    assert _written(spelling.blanks) == expected.replace(":", ": ").replace(",", ", ")


def test_values_stand_before_keys() -> None:
    """In every attribute, and nowhere else."""
    pairs = '{"value":{"intValue":"7"},"key":"a.b"},{"value":{"stringValue":"/x-y"},"key":"url"}'
    assert (
        _written(spelling.value_before_key) == f'{BEGIN}{{"kind":2,{TIME},"attributes":[{pairs}],"status":{{}}}}{END}'
    )


def test_keys_of_every_object_are_mixed() -> None:
    """By the seed; the order in lists stays."""
    text = _written(spelling.keys_in_any_order)
    assert text == _written(spelling.keys_in_any_order) != _written(spelling.compact)
    assert json.loads(text) == json.loads(_written(spelling.compact))


def test_kind_and_status_have_names() -> None:
    """Those of protobuf; a status without a code is unset."""
    assert _written(spelling.names) == (
        f'{BEGIN}{{"kind":"SPAN_KIND_SERVER",{TIME},"attributes":[{PAIRS}],"status":{{"code":"STATUS_CODE_UNSET"}}}}{END}'
    )


def test_numbers_are_numbers() -> None:
    """Times and attributes; texts that look like numbers stay texts."""
    pairs = PAIRS.replace('"7"', "7")
    expected = f'{BEGIN}{{"kind":2,"startTimeUnixNano":12,"attributes":[{pairs}],"status":{{}}}}{END}'
    assert _written(spelling.numbers) == expected


def test_slashes_dots_and_dashes_are_escaped() -> None:
    """In keys and in texts."""
    pairs = PAIRS.replace("a.b", r"a\u002eb").replace("/x-y", r"\/x\u002dy")
    assert _written(spelling.escapes) == f'{BEGIN}{{"kind":2,{TIME},"attributes":[{pairs}],"status":{{}}}}{END}'


@pytest.mark.parametrize("spell", SPELLINGS, ids=spelling.__all__)
def test_every_spelling_is_the_same_spans(spell: Spelling, tmp_path: Path) -> None:
    """What differs is only how they are written."""
    draw = random.Random(2)  # noqa: S311
    made = [[document for trace in realistic_traces(5) for document in trace] for _ in range(2)]
    expected = spans_in(tmp_path, (spelling.compact(document, draw) + "\n" for document in made[0]))
    assert len(expected) > 50
    assert spans_in(tmp_path, (spell(document, draw) + "\n" for document in made[1])) == expected
