"""Lists of words: what is removed by the words before it, and what stays. And the expressions for them."""

from __future__ import annotations

from random import Random

import pytest

from lambda_latency.runtime.redact import arguments as module
from lambda_latency.runtime.redact.credentials import clean
from lambda_latency.runtime.redact.spans import Redaction
from tests.runtime.redact.commands import Value, harmless_values, secret_values
from tests.runtime.redact.expressions import Shown, checks

SHOWN: Shown = {
    "ITEM": (
        "«curl» «-u» «a:b»", "[«'sh'», «'-c'», «'a b'»]", "«a»«|»«b» «||» «c»«;»«d»«&»«e» «&&»", '«"a\\"b"» «c»',
        "«Command» '[«'ls'»]'", "«[redacted]»", " ,()[]", "«don»'«t»", '«x=»"«y»',
    ),
    "COMMAND": (
        "«mysql» -p", "/usr/bin/«mysql»", "«MySQL»", "«mariadb» «sshpass» «7z» «redis-cli» «zip» «unzip»",
        "«sqlcmd» «bcp»",
        "«ldapsearch» «ldapmodify»", "«curl»", "«smbclient» «rpcclient»", "«twine» «mongo» «mongosh»", "docker «login»",
        "«htpasswd»", "«sudo»", "gh «secret»", "--«password-stdin»",
        "«rabbitmqctl» «useradd» «usermod»", "ssm «put-parameter»", "gzip", "logins", "curly", "secrets", "pseudo",
    ),
    "OPTION": ("«--password»", "«-pass»", "--no-password", "-p", "---a", "password", "-1a", "«--a.b-c»", "-a b"),
    "NAME": ("«Authorization»", "«x-api.key_2»", "-a", "1a", "a b", "", "«A»"),
}  # fmt: skip
test_each_expression_has_texts_of_both_sorts, test_an_expression_matches_what_is_marked = checks(module, SHOWN)

SECRET = "Sommer!309z"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("mysql", "--password", SECRET), ("mysql", "--password", "[redacted]")),
        (("mysql", f"-p{SECRET}", "shop"), ("mysql", "-p[redacted]", "shop")),
        (("curl", "-u", f"user:{SECRET}"), ("curl", "-u", "[redacted]")),
        (("Authorization", SECRET), ("Authorization", "[redacted]")),
        (("Host", "h", "Cookie", "hunter"), ("Host", "h", "Cookie", "[redacted]")),
        (("aws", "configure", "set", "aws_secret_access_key", SECRET),
         ("aws", "configure", "set", "aws_secret_access_key", "[redacted]")),
        (("echo", SECRET, "|", "sudo", "-S", "ls"), ("echo", "[redacted]", "|", "sudo", "-S", "ls")),
        (("htpasswd", "-b", "users", "ada", SECRET), ("htpasswd", "-b", "users", "ada", "[redacted]")),
        (("curl", "-u", "ada", "https://h"), ("curl", "-u", "ada", "https://h")),
        (("user", "password", "email"), ("user", "password", "email")),
        (("kubectl", "get", "secret", "orders-tls-7"), ("kubectl", "get", "secret", "orders-tls-7")),
        (("docker", "run", "-p", "8080:80", "shop"), ("docker", "run", "-p", "8080:80", "shop")),
        (("pg_dump", "--no-password", "shop1"), ("pg_dump", "--no-password", "shop1")),
    ],
)  # fmt: skip
def test_a_list_is_read_as_a_whole(given: Value, expected: Value) -> None:
    """The words before a word say what it is."""
    assert Redaction(None, 100).value("app.args", given) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"pwd -> {SECRET}", "pwd -> [redacted]"), ("pwd -> /var/task", "pwd -> /var/task"),
        (f"bad credentials {SECRET}", "bad credentials [redacted]"),
        ("credentials of role orders-v2 expired", "credentials of role orders-v2 expired"),
        (f"{{'code': '{SECRET}', 'grant_type': 'authorization_code'}}",
         "{'code': '[redacted]', 'grant_type': 'authorization_code'}"),
        (f"oauth code {SECRET} expired", "oauth code [redacted] expired"), ("error code E1234", "error code E1234"),
        (f"sh -c 'echo {SECRET} | sudo -S ls'", "sh -c 'echo [redacted] | sudo -S ls'"),
        (f"vault login {SECRET}", "vault login [redacted]"),
    ],
)  # fmt: skip
def test_a_text_is_read_as_the_command_or_the_sentence_that_it_is(text: str, expected: str) -> None:
    """Arrows, codes of OAuth, credentials without a mark between."""
    assert clean(text, ()) == expected


@pytest.mark.parametrize("seed", range(3))
def test_no_secret_of_a_list_or_a_text_is_left(seed: int) -> None:
    """200 of them, as arguments, headers, variables, sentences and addresses."""
    redaction = Redaction(None, 4096)
    drawn = secret_values(Random(seed), 200)  # noqa: S311 - what is drawn protects nothing
    found = [(given, redaction.value("app.args", given)) for given, _ in drawn]
    leaked = [one for one, (_, secret) in zip(found, drawn, strict=True) if secret[: len(secret) // 2] in str(one[1])]
    assert leaked == []


@pytest.mark.parametrize("seed", range(3))
def test_no_harmless_list_or_text_is_changed(seed: int) -> None:
    """200 that look alike."""
    redaction = Redaction(None, 4096)
    drawn = harmless_values(Random(seed), 200)  # noqa: S311 - what is drawn protects nothing
    assert [one for one in drawn if redaction.value("app.args", one) != one] == []


def test_a_list_that_has_numbers_or_long_texts_is_read_word_by_word() -> None:
    """It is no command line."""
    redaction = Redaction(None, 10_000)
    assert redaction.value("app.args", ("--password", 5)) == ("--password", 5)
    assert redaction.value("app.args", ("--password", "x" * 5000)) == ("--password", "x" * 5000)
