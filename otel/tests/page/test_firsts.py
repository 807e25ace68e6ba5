"""What the first screen says of files with one trait each, from the cards to the notes below them."""

from collections.abc import Callable

import pytest

from tests.page.browser import Browser

FIRSTS = {
    "fifty": [
        "Slow requests",
        "internal",
        "Medium confidence",
        (
            "16 of 200 requests of GET /page (8 %) wait for the code of service-07 and postgresql "
            "service-07.db.example.com, called by service-07: 182 + 118 ms more than a typical one, 72 % of the excess."
        ),
        ("Next: Profile service-07, give it more CPU (on Lambda: more memory), or move work out of the request."),
        "Show these 16",
        "Open an example",
        "What if it took no time? p95 346 ms \u2192 157 ms at best",
        "Evidence",
        "Too few to tell: 4 requests for the code of service-07 (196 ms).",
        "A note.",
        "What if a part took no time",
    ],
    "order": [
        "Request",
        (
            "One request, 45 ms: here is where it went. 12 ms (27 %) for DynamoDB PutItem orders, 11 ms for "
            "payments.example.com, 10 ms for its own code."
        ),
        "One request cannot tell slow from typical: no cause is named. Give more traces for a verdict.",
        "A note.",
    ],
    "flow": [
        "Request",
        (
            "One request, 37 ms without the consumers of its messages: here is where it went. 17 ms (46 %) "
            "for its own code, 8 ms for aws_sqs orders, 5 ms for API Gateway."
        ),
        "One request cannot tell slow from typical: no cause is named. Give more traces for a verdict.",
        (
            "Consumers of its messages worked until 41,000 ms after its start: mail process 38,100 ms, orders"
            " process 2,200 ms (--follow-links judges the whole flow)."
        ),
        "A note.",
    ],
    "instant": [
        "Request",
        ("One request, 0.03 ms: here is where it went. 0.02 ms (60 %) for the code of health, 0.01 ms for redis."),
        "One request cannot tell slow from typical: no cause is named. Give more traces for a verdict.",
        "A note.",
    ],
    "empty": [
        "No requests",
        "No requests: no trace was read.",
        "Try one of these:",
        "lambda-latency demo",
        "lambda-latency report --xray --since 1h",
        "lambda-latency report traces.jsonl",
        "A note.",
    ],
    "all-slow": [
        "Requests",
        "Nothing stands out.",
        (
            "Every request was compared with those of its own route. Most of their time (99 %) is "
            "payments.example.com. Judged: POST /orders."
        ),
        "A note.",
        "What if a part took no time",
    ],
    "all-failed": [
        "Failed requests",
        "external",
        (
            "All 60 requests failed: POST /orders with status 502. In each of them a call to "
            "payments.example.com failed."
        ),
        "Next: Find out why calls to payments.example.com fail: an example has the status or the error.",
        "Open an example",
        "Evidence",
        "Requests",
        "Nothing else stands out.",
        (
            "Every request was compared with those of its own route. Most of their time (73 %) is "
            "payments.example.com. Judged: POST /orders."
        ),
        "A note.",
        "What if a part took no time",
    ],
    "three": [
        "Slow requests",
        "internal",
        "High confidence",
        (
            "24 of 300 requests of POST /orders (8 %) wait for a cold start: 902 ms more than a typical one, 45 % of "
            "the excess."
        ),
        (
            "Next: Import less at module load, give the function more memory (CPU scales with memory), or "
            "keep environments warm with provisioned concurrency or SnapStart."
        ),
        "Show these 24",
        "Open an example",
        "What if it took no time? p95 1,085 ms \u2192 973 ms at best",
        "Evidence",
        "Slow requests",
        "external",
        "Medium confidence",
        (
            "12 of 300 requests of POST /orders (4 %) wait for payments.example.com: 1,338 ms more than a typical one, "
            "34 % of the excess. The cause is external."
        ),
        (
            "Next: Set a timeout for the call to payments.example.com below the function's, respond without "
            "its result when it is late, and move the call to a queue if the caller does not need the result."
            " Ask its owner with a trace id."
        ),
        "Show these 12",
        "Open an example",
        "What if it took no time? p95 1,085 ms \u2192 935 ms at best",
        "Evidence",
        "Slow requests",
        "internal",
        "Medium confidence",
        (
            "12 of 300 requests of POST /orders (4 %) wait for retries of DynamoDB orders: 737 ms more than a typical "
            "one, 19 % of the excess. The cause is internal."
        ),
        (
            "Next: Give orders more capacity (on-demand, or a higher provisioned rate), spread hot keys, and "
            "set the client's attempts and timeouts to end well before the function's timeout."
        ),
        "Show these 12",
        "Open an example",
        "Evidence",
        "A note.",
        "What if a part took no time",
    ],
}
CARRY = ["Copy the sentence", "Copy as Markdown", "Copy this view (the part behind #)", "Save a picture"]


@pytest.mark.parametrize("state", FIRSTS)
def test_the_first_screen_says_what_is_true_and_nothing_else(
    browser: Browser, page: Callable[[str], str], state: str
) -> None:
    """All that can be read beside the chart, in its order."""
    browser.show(page(state))
    text = browser.run("return document.getElementById('verdict').innerText").replace("\u202f", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines == [*FIRSTS[state], *(CARRY if state != "empty" else [])]


def test_a_place_of_own_code_opens_its_stack_and_source(browser: Browser, page: Callable[[str], str]) -> None:
    """The line, its text, and the call from it in which it was seen; closed at first."""
    browser.show(page("sampled"))
    assert browser.count(".places .frames") == 0
    browser.click(".places li:first-child summary")
    browser.click(".places > li:nth-child(2) summary")
    places = browser.run("return [...document.querySelectorAll('.places > li')].map((one) => one.innerText)")
    assert [[line for line in place.replace("\u202f", " ").splitlines() if line] for place in places] == [
        [
            "functions/orders.py:14 price() 795 ms, computing",
            "functions/orders.py:14 price()",
            "return PATTERN.match(text)",
            "795 ms in a slow request. It is the largest excess of 12 requests.",
        ],
        [
            "functions/orders.py:40 locked() 300 ms, waiting for a lock",
            "functions/orders.py:40 locked()",
            "threading.acquire",
            "300 ms in a slow request.",
        ],
    ]
