"""The expressions for encodings: what each must match, and what it must not."""

from __future__ import annotations

from lambda_latency.runtime.redact import texts as module
from tests.runtime.redact.expressions import Shown, checks

SHOWN: Shown = {
    "WORD": ("«a=%31» '«b»' <«c»> \"«d»\"", " '\"<> "),
    "PERCENT": ("a«%3D»b«%2f»", "100% %zz %a"),
    "ESCAPED": (
        r"a«\u0070»b", r"«\\u00e9»", r"«\x70»«\/»x", r"«\\\x2F»", r"\n \t \u007 \x7 u0070", r"/x70", r"«\u00C9»«\xc3»",
    ),
}  # fmt: skip

test_each_expression_has_texts_of_both_sorts, test_an_expression_matches_what_is_marked = checks(module, SHOWN)
