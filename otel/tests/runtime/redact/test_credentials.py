"""The expressions for the quick check: what each must match, and what it must not."""

from __future__ import annotations

import pytest

from lambda_latency.runtime.redact import credentials as module
from lambda_latency.runtime.redact.texts import clean_suspect
from tests.runtime.redact import test_addresses, test_pairs, test_refusals, test_statements, test_values
from tests.runtime.redact.expressions import Shown, checks, plain

SHOWN: Shown = {
    "NUMBERS": (
        "card «4242424242424»242", "«1234 5678»", "x «1234-5678»", "s«k_live_» s«k-test-» «1-live_»",
        "bot1234567«8:AA»x", "x12345678901234", "123 4567", "1234.5678", "live_k", "12:AB", "123456789012",
        "id-1234-5678", "k_lives_ k-tests-", "x1234 5678",
    ),
    "RUNS": ("a «abcdefghij012345» b", "«a_b+c/d-e_f+g/h-i»", "abcdefghij01234", "abcdefgh.ijklmnop"),
}  # fmt: skip

test_each_expression_has_texts_of_both_sorts, test_an_expression_matches_what_is_marked = checks(module, SHOWN)


def test_a_variable_that_replaces_another_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number stays the same."""
    monkeypatch.setenv("LANGUAGE_OF_TEXTS", "Sommer309z")
    assert "Sommer309z" not in module.known_values()
    monkeypatch.delenv("LANGUAGE_OF_TEXTS")
    monkeypatch.setenv("DB_PASSWORD", "Winter308y")
    assert "Winter308y" in module.known_values()
    monkeypatch.setenv("DB_PASSWORD", "Fall307x-")
    assert "Fall307x-" in module.known_values()


TABLES = (test_addresses, test_pairs, test_refusals, test_statements, test_values)
TEXTS = {plain(text) for one in TABLES for texts in one.SHOWN.values() for text in texts}
# Shorter than real tokens of their shapes, which have a run of 16 characters; a real `Bearer+` is in a query with `=`.
LET_THROUGH = {
    "eyJhbGciOiJ.eyJz.", "eyJhbGciOiJ.eyJz, cut", "eyJhbGciOiJ.e-y", "eyJh-_ciOiJ.e.a.b-_", "FwoGZXIvYXdz",
    "FwoGZXIvYXdzEAo FQoGZXIvYXdzEAo", "Bearer+abc123",
}  # fmt: skip


def test_a_text_that_loses_something_passes_the_quick_check() -> None:
    """The quick check lets texts through unread, so it must know what the search for credentials knows."""
    lose = {text for text in TEXTS if clean_suspect(text, (), None, ids=False) != text}
    assert {text for text in lose if not module.is_suspect(text, ())} == LET_THROUGH
