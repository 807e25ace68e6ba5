"""Names of secrets: which words decide."""

import pytest

from lambda_latency.redaction.names import NO, PERHAPS, SECRET, secrecy

# Names of which two rules speak; the first one decides.
NAMES = (
    ("session.id", NO, "a name of OpenTelemetry's for correlation before a phrase"), ("session_id", SECRET, "a phrase"),
    ("tokenizer", NO, "a plain word before a part of a name"), ("bypass", NO, "a plain word before an ending"),
    ("secretary", NO, "a plain word before a part"), ("clientSecrets", SECRET, "a part"),
    ("nextToken", NO, "a page before an ending"), ("accessToken", SECRET, "an ending"),
    ("request_token", PERHAPS, "a request's token before other endings"), ("secretId", PERHAPS, "an id after a secret"),
    ("secretid", PERHAPS, "an unclear name before a part"), ("sso", PERHAPS, "an unclear name"),
    ("apikey", SECRET, "a word that opens"), ("sortkey", NO, "no word that opens"),
    ("sort_key", NO, "a plain key before others"), ("app.key", NO, "a key of the app's data"),
    ("app.api.key", SECRET, "a sure word before the app's data"), ("STRIPE_KEY", SECRET, "an environment variable"),
    ("stripe_key", PERHAPS, "a key of unknown use"), ("query", SECRET, "a query"), ("url.query", SECRET, "a query"),
    ("password_length", NO, "a word about a secret"), ("password_owner", PERHAPS, "another word after a secret"),
    ("password_hash", SECRET, "a word that keeps it a secret"), ("auth.user", NO, "an earlier part counts less"),
    ("username", NO, "no hint"), ("otp_code", SECRET, "a phrase"), ("cardNumber", SECRET, "a phrase"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "level", "why"), NAMES, ids=[name for name, _, _ in NAMES])
def test_the_first_rule_that_knows_a_name_decides(name: str, level: int, why: str) -> None:
    """Rules about names are ordered: exceptions come before what they are excepted from."""
    assert secrecy(name) == level, why
