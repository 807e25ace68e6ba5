"""Tokens with a vendor's prefix: each is removed from its least length on, and no shorter text is."""

from __future__ import annotations

import pytest

from lambda_latency.runtime.redact.tokens import BEGINNINGS, DOTTED, is_plain
from lambda_latency.runtime.redact.values import REDACTED, without_token

PREFIXES = [(prefix, least) for least, prefixes in BEGINNINGS.items() for prefix in prefixes.split()]


@pytest.mark.parametrize(("prefix", "least"), PREFIXES, ids=[prefix for prefix, _ in PREFIXES])
def test_a_token_is_removed_from_its_least_length_on(prefix: str, least: int) -> None:
    """And only at the beginning of a word."""
    body = ("a1B2" * least)[:least]
    shown = {
        f"key {prefix}{body}, next": f"key {REDACTED}, next",
        f"key {prefix}{body[1:]}, next": f"key {prefix}{body[1:]}, next",
        f"keyx{prefix}{body}": f"keyx{prefix}{body}",
    }
    assert {text: without_token(text, prefix, least) for text in shown} == shown


@pytest.mark.parametrize(("prefix", "least"), PREFIXES, ids=[prefix for prefix, _ in PREFIXES])
def test_no_token_passes_the_quick_check(prefix: str, least: int) -> None:
    """A run of letters and digits begins after the last dot of the prefix."""
    token = prefix + ("a1B2" * 16)[: max(16, least)]
    assert any(beginning in token for beginning in DOTTED) or not is_plain(token.rpartition(".")[2])


@pytest.mark.parametrize(
    ("run", "plain"),
    [
        ("order-created-event", True), ("OrderCreatedHandler", True), ("ORDER_CREATED_EVENT", True),
        ("33296c87009e8a7f770d9106fd287db7", True), ("0b5a7c1e-1234-4abc-8def-0123456789ab", True),
        ("app-dev-a1B2c3D4e5F6", True), ("functions/orders/create", True), ("a1b2c3d4e5f6g7h8i9", True),
        ("33296c87009e8a7f770d9106fd287db7-us12", False), ("ghp_a1b2c3d4e5f6", False), ("AKIAIOSFODNN7EXAMPLE", False),
        ("a1B2c3D4e5F6g7H8", False), ("aBcDeFgHiJkLmNoP", False), ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", False),
        ("key-33296c87009e8a7f770d9106fd287db7", False),
    ],
)  # fmt: skip
def test_a_run_is_plain_if_it_is_certainly_no_token(run: str, plain: bool) -> None:
    """Words, numbers, hashes, UUIDs and names of these."""
    assert is_plain(run) is plain
