"""The values of the environment that are secret."""

import pytest

from lambda_latency.redaction import credentials as module


def test_a_variable_that_replaces_another_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number stays the same."""
    monkeypatch.setenv("LANGUAGE_OF_TEXTS", "Sommer309z")
    assert "Sommer309z" not in module.known_values()
    monkeypatch.delenv("LANGUAGE_OF_TEXTS")
    monkeypatch.setenv("DB_PASSWORD", "Winter308y")
    assert "Winter308y" in module.known_values()
    monkeypatch.setenv("DB_PASSWORD", "Fall307x-")
    assert "Fall307x-" in module.known_values()


def test_a_known_value_with_an_escaped_slash_is_found() -> None:
    """Texts are read with `/` in place of `\\/`, and so is the value."""
    assert module.clean(r"ada with Sommer\/309z failed", (r"Sommer\/309z",)) == "ada with [redacted] failed"
