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
        "«curl» «-u» «a:b»", "[«'sh'», «'-c'», «'a b'»«]»", "«a»«|»«b» «||» «c»«;»«d»«&»«e» «&&»", '«"a\\"b"» «c»',
        "«Command» '[«'ls'»«]»'", "«[redacted]»", " ,([", "«don»'«t»", '«x=»"«y»',
        "[«b'-p'», «u'x'»«]»",
        '[«\\"a\\"», «\\"b c\\"»«]»', "«-p»'«x» «y»'", "«-p'xy'» «-p\"x\"» «-e=»«'x'»", "«a,b» «c», «d»,«-e»",
        "`«ls» «a»`",
        "«a\\b» «\\\\s»", "(«a»«)»",
    ),
    "OPTION": ("«--password»", "«-pass»", "«--no-password»", "«/Password»",
        "-p", "---a", "password", "-1a", "«--a.b-c»", "-a b", "/a/b"),
    "COMMAND": (
        "a« --p»", "a«'-p»'", "«/a»dd", "« -p» «set» «setx» «set-env» «login» «AUTH» «<<<»", "«mc» «net» «sqlplus»",
        "«LOGIN» «PASS»",
        "a-p", "sets", "a - b", "auth", "netx",
    ),
    "NAME": ("«Authorization»", "«x-api.key_2»", "-a", "1a", "a b", "", "«A»"),
    "ADDRESS": (
        "«8080:80»", "«127.0.0.1:80:80/tcp»", "«80-90:80»", "«redis://h:6379»", "«jdbc:hive2://h:1»", "redis://:x@h",
        "a1", "80a",
    ),
    "PART": ("«id=a,src=b»", "«file=x»", "«env=A»", "«none»", "«true»", "ids=a", "password=x", "nonesuch"),
    "PATH": ("«src/a1.py»", "«/a/b»", "«a/b1»", "a", "a/b1c2", "a/B1", "src/a1.python3"),
    r"-\w{2,5}": ("«-su»", "«-sSLu»", "-u", "--su", "-abcdefg"),
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
        (("mc", "alias", "set", "a", "h", "K", SECRET), ("mc", "alias", "set", "a", "h", "K", "[redacted]")),
        (("net", "use", r"\\h\a", "hunter", "/user:ada"), ("net", "use", r"\\h\a", "[redacted]", "/user:ada")),
        (("cqlsh", "-u", "ada", "-p", SECRET), ("cqlsh", "-u", "ada", "-p", "[redacted]")),
        (("env", "DB_PASSWORD=a;b&c", "run"), ("env", "DB_PASSWORD=[redacted]", "run")),
        (("docker", "run", "-u", "a", "-p", "80:80/tcp"), ("docker", "run", "-u", "a", "-p", "80:80/tcp")),
        (("vault", "login", "role=app1"), ("vault", "login", "role=app1")),
        (("", "-p", ""), ("", "-p", "")),
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
        (f"['mysql', '-p{SECRET}']", "['mysql', '-p[redacted]']"),
        (f'"[\\"mc\\", \\"alias\\", \\"set\\", \\"a\\", \\"h\\", \\"K\\", \\"{SECRET}\\"]"',
         '"[\\"mc\\", \\"alias\\", \\"set\\", \\"a\\", \\"h\\", \\"K\\", \\"[redacted]\\"]"'),
        ("the net use of memory grew by v2.1x", "the net use of memory grew by v2.1x"),
        (f"net use Z: \\\\h\\a {SECRET} /user:ada", "net use Z: \\\\h\\a [redacted] /user:ada"),
        (f"psql -c 'ALTER USER a PASSWORD '\"'\"'{SECRET}'\"'\"''", "psql -c 'ALTER USER a PASSWORD '[redacted]''"),
        (f"{{'value': '{SECRET}', 'name': 'DB_PASSWORD'}}", "{'value': '[redacted]', 'name': 'DB_PASSWORD'}"),
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
