"""What people read: text, Markdown, JSON."""

import json
from dataclasses import replace

import pytest

from lambda_latency.diff.compare import CountChange, CountsDifference
from lambda_latency.diff.conditions import DEFAULTS, read_condition
from lambda_latency.diff.lines import ChangedPlace
from lambda_latency.diff.words import UNCOUNTED, UNREACHED, DiffReport, document, markdown, sentence, text

GET, LIST = "GET /orders/{id}", "GET /orders"
PLACE = ChangedPlace("functions/table.py:83", "functions/orders.py:81")
CALLS = CountChange(GET, "calls", "DynamoDB GetItem OrdersTable", 1, 2, PLACE)
WORK = CountChange(GET, "work", "", 51_891, 100_635, PLACE, "botocore")
COLD = CountChange("cold start of GetOrder", "cold", "", 5_842_171, 6_995_631, PLACE, "yaml", ("yaml", "yaml.reader"))
DIFFERENCE = CountsDifference(
    [WORK, COLD, CALLS],
    unchanged=["POST /orders", LIST],
    not_compared={"SQS -> Work": "it answers no event instead of ok"},
    new=["GET /new"],
    unanswered={f"{GET} #2": "404"},
    packages={"boto3": ("1.34.0", "1.35.0")},
)
SAME = "Nothing changed: 2 requests are the same in calls and, to 0.1 %, in what they execute."
CALL = "2 calls of DynamoDB GetItem OrdersTable instead of 1"
MORE = "51,891 -> 100,635, 94 % more, most of it in botocore"
EXECUTES = "5,842,171 -> 6,995,631, 20 % more, 2 modules more (yaml), most of it in yaml"
SENTENCE = (
    "GET /orders/{id} now makes 2 calls of DynamoDB GetItem OrdersTable instead of 1 (functions/table.py:83, from the "
    "changed functions/orders.py:81) and executes 94 % more, 1 other changed; 2 requests are the same."
)


def report(difference: CountsDifference) -> DiffReport:
    """A report with the default conditions."""
    judged = [read_condition(condition).judge(difference) for condition in DEFAULTS]
    return DiffReport(difference, judged, ("main (abc1234)", "the working tree"), ["About."])


def test_the_text() -> None:
    """The sentence, a row for each request, what failed, what was not compared, what is not counted."""
    assert text(report(DIFFERENCE)).splitlines() == [
        SENTENCE,
        "",
        f"{'request':22}  {'calls':52}  {'executes':{len(EXECUTES)}}  bytes  where",
        f"{GET:22}  {CALL:52}  {MORE:{len(EXECUTES)}}  same   {PLACE}",
        f"{COLD.subject:22}  {'same':52}  {EXECUTES}  same   {PLACE}",
        "",
        "The calls of GET /orders/{id} grew by 1: more than 0.",
        "What GET /orders/{id} executes grew by 93.9 %: more than 1 %.",
        "The cold start of GetOrder grew by 19.7 %: more than 1 %.",
        "",
        "SQS -> Work: not compared: it answers no event instead of ok",
        "New, so not compared: GET /new",
        UNREACHED.format("GET /orders/{id} #2 (404)"),
        "Changed packages: boto3 1.34.0 -> 1.35.0",
        "",
        "About.",
        UNCOUNTED,
    ]


def test_markdown_escapes_names() -> None:
    """A table for a pull request; no name can format it."""
    rows = markdown(report(DIFFERENCE)).splitlines()
    assert rows[0].startswith("**GET /orders/\\{id\\} now makes 2 calls")
    assert rows[2:4] == ["| request | calls | executes | bytes | where |", "|---|---|---|---|---|"]
    assert rows[7] == "- **fails**: The calls of GET /orders/\\{id\\} grew by 1: more than 0."
    assert rows[-1] == "- Not counted: waiting, locks, work in C (json, re, zlib, numpy), memory, and what AWS does."


def test_json_has_all_of_it() -> None:
    """The fields of the difference, with the sentence and the conditions."""
    values = json.loads(document(report(DIFFERENCE)))
    assert values["sentence"] == SENTENCE
    assert values["changes"][2] == {
        "subject": GET,
        "kind": "calls",
        "name": "DynamoDB GetItem OrdersTable",
        "base": 1,
        "head": 2,
        "place": {"line": "functions/table.py:83", "cause": "functions/orders.py:81"},
        "package": "",
        "modules": [],
        "percent": 100.0,
    }
    assert [judged["expression"] for judged in values["conditions"] if judged["failed"]] == [*DEFAULTS]


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (CountsDifference(), "Nothing was compared: no request reached a function in both versions."),
        (CountsDifference(unchanged=[GET]), SAME.replace("2 requests are", "1 request is")),
        (CountsDifference(unchanged=[GET, LIST]), SAME),
        (
            CountsDifference([replace(WORK, head=51_891 * 4, place=ChangedPlace())]),
            "GET /orders/{id} now executes 4.0 times as much; 0 requests are the same.",
        ),
        (
            CountsDifference([replace(CALLS, base=2, head=1)], unchanged=[LIST]),
            f"{GET} now makes 1 call of DynamoDB GetItem OrdersTable instead of 2 ({PLACE}); 1 request is the same.",
        ),
        (
            CountsDifference([CountChange(LIST, "facts", "Query limit", "3", "100")]),
            "GET /orders now has Query limit 100 instead of 3; 0 requests are the same.",
        ),
        (
            CountsDifference([CountChange(LIST, "bytes", "", 2_000, 1_000)]),
            "GET /orders now moves 1,000 bytes instead of 2,000; 0 requests are the same.",
        ),
    ],
)
def test_sentences(difference: CountsDifference, expected: str) -> None:
    """Each kind of change has its verb; less is no reason to fail, and comes last."""
    assert sentence(difference) == expected
