"""The expressions for messages of validators: what each must match, and what it must not."""

from __future__ import annotations

import pytest

from lambda_latency.runtime.redact import refusals as module
from tests.runtime.redact.expressions import Shown, checks, plain

SHOWN: Shown = {
    "BOTOCORE": (
        "«Invalid type for parameter Key.pin, value: hunter2», type: <class 'str'>, valid types: int",
        "«Invalid length for parameter P, value: x y», valid min length: 1",
        "x\n«Invalid range for parameter P, value: 12345678901»", "Invalid type for parameter P, value: 123, type: x",
        "Invalid type for parameter P, value: None, type: x", "Invalid type for parameter P, value: True, valid",
        "Invalid type for parameter P, value: False, valid", "Invalid kind for parameter P, value: x",
        "Invalid type for parameter P\n, value: x", "«Invalid type for parameter P, value: x»\ny",
        "«Invalid type for parameter P, value: 1x», type", "Invalid type for parameter P, value: 1, type: x",
        "Invalid type for parameter P, value: 123456789, type: x",
        "«Invalid type for parameter P, value: 1234567890», type: x", "Invalid typ for parameter P, value: x",
        "Invalid type for parameter , value: x", "«Invalid type for parameter P, value: x, y», type: y",
        f"«Invalid type for parameter P, value: {'True'[:-1]}», valid: y",
        "«Invalid type for parameter P, value: Nonesuch1», type: x",
        "«Invalid type for parameter P, value: True1», type: x",
    ),
    "PYDANTIC": (
        "1 error\n«password\n  too short [type=a, input_value='x y'», input_type=str]",
        "«a.0.pw\n  bad, input_value=x»]", "«pin\\n  no [type=a, input_value='x'», input_type=str]",
        "1 error«\\npin\\\\n  no, input_value=x», input_type=str", "pin no, input_value=x]",
        "  pin\n  no, input_value=x]", "pin\n no, input_value=x]", "pin\n  no, input=x]",
        "«pins[0].a-b\n  x, input_value=y»]", "«p\n  x, input_value=y»]", "pin\n  x input_value=y]",
        "pin\n  Field required [type=missing, input_value={'a': 1}, input_type=dict]",
        ".a\n  x, input_value=y]", "«pin\n  no, input_value=x, input_types=y»]",
    ),
    "LOCATION": (
        "{«'loc': ('body', 'password'), 'msg': 'x', 'input': 'a b'», 'ctx'}",
        '«"loc": ["body"], "input": "a\\"b"»}', "«'loc': ('b',), 'input': 12»}", "'loc': (), 'input': 'x'",
        "'loc': ('b',)\n, 'input': 'x'", "'place': ('b',), 'input': 1", "'loc': ('body', 'a'",
        "«'loc': ('b'), 'msg': 'x', 'input': Nona»}", "'loc': ('b'), 'input': None}", '"loc": ["b"], "input": null}',
        "'loc': ('b',), input': 'x'", "'loc': ('b',, 'input': 'x'",
    ),
    "POWERTOOLS": (
        "Error: a, «Path: ['data', 'password'], Data: hunter2 x»", "«Path: [], Data: x»\ny", "Path: x, Data: y",
        "Path: ['a'], Value: x", "Path: 'a'], Data: x", "Path: ['a'],Data: x", "«Path: ['a'], Data: »\nx",
    ),
    "JSONSCHEMA": (
        "x\n\nFailed:\n    {}\n«\nOn instance['password']:\n    'x y'\n  »", "«\nOn instance['a']:\n    x»",
        "\nOn instance:\n    x", "On instance['a']:\n    x", "\nOn instance['a']:\nx", "\nOn instance['a']\n    x",
        "«\nOn instance['a']:\n    x\n  y\n»", "\nOn instance['a']:\n   x", "«\nOn instance.:\n    x»",
    ),
    r"[^\W\d][\w-]*": ("«body».0.«x-api_key1»", "'«data»', '«пароль»'", "0.12"),
}  # fmt: skip

test_each_expression_has_texts_of_both_sorts, test_an_expression_matches_what_is_marked = checks(module, SHOWN)


@pytest.mark.parametrize("table", ["FIELDS"])
def test_the_order_of_a_table_changes_no_text(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message has one form."""
    texts = [plain(text) for texts in SHOWN.values() for text in texts]
    in_order = [module.clean_refusals(text) for text in texts]
    monkeypatch.setattr(module, table, dict(reversed(getattr(module, table).items())))
    assert [module.clean_refusals(text) for text in texts] == in_order
