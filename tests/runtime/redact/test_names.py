"""The expressions for names: what each must match, and what it must not."""

from __future__ import annotations

import pytest

from lambda_latency.runtime.redact import names as module
from tests.runtime.redact.expressions import Shown, as_matched, expressions, is_match, params

SHOWN: Shown = {
    "WORD": (
        "«db»«Password»", "«DB»_«PASSWORD»", "«db»-«password»", "«HTTP»«Auth»«Token»«2»", "«пароль»",
        "«api»«Key»«12»«b»", "«APIV»«2»", "_-. /",
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
