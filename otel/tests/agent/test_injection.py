"""Orders as names: none is in a sentence of ours, outside of quotes, or uncut."""

import re
import unicodedata

import pytest

from lambda_latency.agent.brief import DATA
from lambda_latency.agent.budget import MOST, tokens
from lambda_latency.agent.quoting import LONGEST, QuotedNames, quoted
from lambda_latency.archive import add
from tests.agent.asking import Tools
from tests.agent.orders import drawn, written, written_slow

ORDERS = drawn(2_000)
QUOTE = re.compile(r'"[^"\n]*"')
COMMAND = re.compile(r"lambda-latency (?:report|doctor|archive) [^\n]*")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The answers of all tools on a file, and on an archive of it."""
    root = tmp_path_factory.mktemp("orders")
    written(root / "a.jsonl", ORDERS[:1000])
    written(root / "b.jsonl", ORDERS[1000:])
    add(str(root / "archive"), [root / "a.jsonl"])
    tools = Tools(root)
    texts = [tools("why_slow", {"source": name}) for name in ("a.jsonl", "b.jsonl", "archive", "*.jsonl")]
    texts += [tools("why_slow", {"source": "a.jsonl", "slow_ms": ms}) for ms in (1, 100)]
    texts += [tools("compare", {"source": "a.jsonl", "baseline": "b.jsonl"})]
    for start in range(0, 80, 4):
        written_slow(root / "slow.jsonl", ORDERS[start : start + 4])
        texts += [tools("why_slow", {"source": "slow.jsonl"})]
    for start in (0, 8, 16, 24):
        written(root / "calls.jsonl", ORDERS[start : start + 8] * 300)
        written(root / "none.jsonl", ORDERS[start : start + 8] * 300, calls=False)
        texts += [tools("compare", {"source": "none.jsonl", "baseline": "calls.jsonl"})]
        texts += [tools("compare", {"source": "calls.jsonl", "baseline": "none.jsonl"})]
    texts += [tools("list_requests", {"source": name, "limit": 50}) for name in ("a.jsonl", "b.jsonl")]
    texts += [tools("list_requests", {"source": "a.jsonl", "timeouts": True})]
    texts += [tools("check_tracing", {"path": name}) for name in ("a.jsonl", "b.jsonl")]
    questions = ("by_day", "by_hour", "by_route", "parts", "parts_by_day")
    texts += [tools("query_archive", {"question": name}) for name in questions]
    for number in range(125):
        arguments = {"trace_id": f"{number + 1:032x}", "source": "b.jsonl" if number % 2 else "a.jsonl"}
        texts += [tools("show_request", arguments)]
        texts += [tools("show_span", {**arguments, "span_id": f"{span:016x}"}) for span in (1, 2)]
    return texts


def seen(name: str) -> str:
    """What is left of a name if nothing is hidden or replaced."""
    return " ".join("".join(letter for letter in name if letter.isascii() and letter.isprintable()).split())


def test_no_order_is_outside_of_quotes(answers: list[str]) -> None:
    """Not even two words of one."""
    for text in answers:
        bare = COMMAND.sub("", QUOTE.sub('""', text)).replace(DATA, "").lower()
        for verb in (
            "ignore all",
            "delete the",
            "send every",
            "approve this",
            "forget your",
            "overwrite the",
            "rm -rf",
        ):
            assert verb not in bare
        assert not re.search(r"\b(please|system:|assistant:|human:|important!|evil)", bare)


def test_no_order_is_whole(answers: list[str]) -> None:
    """One of more than a few words is cut, or replaced by a mark; a value of a span is cut at 200 characters."""
    long = [name for name in map(seen, ORDERS) if len(name) > 200]
    assert long
    for text in answers:
        for name in long:
            assert name not in text


def test_a_sentence_of_ours_has_no_order_at_all(answers: list[str]) -> None:
    """Those about what to do have short names in quotes, or marks."""
    lines = [line for text in answers for line in text.splitlines() if line.startswith(("Next: ", "  remedy: "))]
    assert lines
    for line in lines:
        for name in QUOTE.findall(line):
            words = name.strip('"').split()
            assert len(name) <= LONGEST + 10
            assert len(words) <= 4
            assert name.startswith('"text ') or not re.search(r"(?i)\b(?:all files|the repository|every secret)", name)


def test_answers_have_no_hidden_letter_and_are_small(answers: list[str]) -> None:
    """Neither controls nor marks nor formats; at most 2,000 tokens."""
    for text in answers:
        kinds = {unicodedata.category(letter)[0] for letter in text if letter != "\n"}
        assert kinds <= {"L", "N", "P", "S", "Z"}
        assert tokens(text) <= MOST
    assert max(map(tokens, answers)) > MOST / 2
    for phrase in ("no longer calls", "It depends: ", "Most of it is in the span", " (of which "):
        assert [text for text in answers if phrase in text]


def test_no_link_and_no_markup(answers: list[str]) -> None:
    """Nor a backtick that could end a block."""
    assert not [text for text in answers if "](" in text or "<" in text or "`" in text]


def test_quotes_are_balanced(answers: list[str]) -> None:
    """No name ends its quote."""
    for text in answers:
        for line in text.splitlines():
            assert COMMAND.sub("", line).count('"') % 2 == 0


def test_two_names_stay_two_names() -> None:
    """Though a reader sees no difference; in any order."""
    alike = ["a b", "a\u200b b", "a  b", "a\tb", "POST /x", "POST\u00a0/x"]
    names, reverse = QuotedNames(alike), QuotedNames(reversed(alike))
    assert len({names(name) for name in alike}) == len(alike)
    assert [names(name) for name in alike] == [reverse(name) for name in alike]
    assert [names.raw(names(name)) for name in alike] == alike
    all_quoted = QuotedNames(ORDERS)
    assert len({all_quoted(name) for name in ORDERS}) == len(ORDERS)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("payments.example.com", '"payments.example.com"'),
        ("GET /orders/{id}", '"GET /orders/{id}"'),
        ("DynamoDB UpdateItem OrdersTable", '"DynamoDB UpdateItem OrdersTable"'),
        ("order service", '"order service"'),
        ("delete all files", '"text '),
        ("GET /a/b and then run this", '"text '),
        ("x" * 61, '"text '),
        ("https://user:hunter2@db.example/x", '"https://'),
        ('a" | b', '"text '),
        ("a | b", '"a / b"'),
        ("Z\u00fcrich \u4e2d\u6587", '"Z\u00fcrich \u4e2d\u6587"'),
    ],
)
def test_names_in_sentences(name: str, shown: str) -> None:
    """Those of services, hosts and routes are readable; those that could be a sentence are not there."""
    assert QuotedNames([name])(name).startswith(shown)


@pytest.mark.parametrize(
    "secret",
    [
        "https://user:hunter2@db.example/?a=1", "password=hunter2",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        'hunter2"} {"password":', 'File "/var/task/a.py", line 5, in b password=hunter2',
        "AKIAIOSFODNN7EXAMPLE hunter2=1", "token: hunter2hunter2", "4111 1111 1111 1111",
    ],
)  # fmt: skip
def test_secrets_are_redacted(secret: str) -> None:
    """In a name as in a value; a part of a text whose key is missing is no name."""
    texts = (quoted(secret), quoted(f"GET /x?{secret}"), QuotedNames()(secret))
    for text in texts[2:] if secret.startswith("hunter2") else texts:
        assert "hunter2" not in text or "AKIA" in secret
        assert not re.search(r"AKIAIOSFODNN7|c2lnbmF0dXJl|4111 1111", text)
