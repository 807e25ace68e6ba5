"""The expressions for encodings: what each must match, and what it must not."""

from __future__ import annotations

import pytest

from lambda_latency.runtime.redact import texts as module
from tests.runtime.redact.expressions import Shown, as_matched, expressions, is_match, params

SHOWN: Shown = {
    "WORD": ("«a=%31» '«b»' <«c»> \"«d»\"", " '\"<> "),
    "PERCENT": ("a«%3D»b«%2f»", "100% %zz %a"),
    "ESCAPED": (
        r"a«\u0070»b", r"«\\u00e9»", r"«\x70»«\/»x", r"«\\\x2F»", r"\n \t \u007 \x7 u0070", r"/x70", r"«\u00C9»«\xc3»",
    ),
}  # fmt: skip

FOUND = expressions(module)


def test_each_expression_has_texts_of_both_sorts() -> None:
    """A new expression needs texts that match and texts that do not; an expression that is gone must not keep its."""
    assert {*SHOWN} == {*FOUND}
    assert [name for name, texts in SHOWN.items() if len({*map(is_match, texts)}) != 2] == []


@pytest.mark.parametrize(("name", "text"), params(SHOWN))
def test_an_expression_matches_what_is_marked(name: str, text: str) -> None:
    """Everything between marks, and nothing else."""
    assert as_matched(FOUND[name], text) == text, name
