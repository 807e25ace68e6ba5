"""Every claim of the README has a test or a document that holds it."""

from __future__ import annotations

import json
import re

import pytest

from lab.cost.repeated import summary
from tests.docs.claims import PROOF, claims
from tests.docs.pages import README, ROOT


def test_every_claim_has_its_proof_and_no_proof_is_left_over() -> None:
    """By the beginning of the sentence or of the row, in otel/tests/docs/claims.py."""
    used = {one: [start for start in PROOF if one.startswith(start)] for one in claims(README)}
    assert [one for one, found in used.items() if not found] == []
    assert set(PROOF) - {start for found in used.values() for start in found} == set()


@pytest.mark.parametrize("proof", sorted({one for proofs in PROOF.values() for one in proofs}))
def test_a_proof_exists(proof: str) -> None:
    """A file with a test of this name, a file of tests, a program or a document."""
    path, _, name = proof.partition("::")
    assert (ROOT / path).is_file()
    assert not name or re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_what_the_kit_loses_is_what_was_measured() -> None:
    """The sentence below the comparison: a warm request as a whole, and the client's wait, and no more."""
    runs = summary(json.loads((ROOT / "docs" / "cost-runs.json").read_text())["runs"])
    variants = json.loads((ROOT / "docs" / "cost.json").read_text())["variants"]
    measured = ("cold_m", "cold_until_m", "warm_k", "warm_until_k", "unsampled_k")
    lost = [its for its in measured if runs["kit"][its]["over_bare"] > runs["X-Ray SDK"][its]["over_bare"]]
    times = ("cold_ms", "sampled_response_us")
    lost += [its for its in times if variants["kit"][its]["over_bare"] > variants["X-Ray SDK"][its]["over_bare"]]
    assert lost == ["warm_k", "sampled_response_us"]
    assert "The\nkit loses where a warm request is counted whole, and in the client's wait." in README.text
