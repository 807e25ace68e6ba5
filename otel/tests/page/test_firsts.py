"""What the first screen says of files with one trait each, from the cards to the notes below them."""

from collections.abc import Callable

import pytest

from tests.page.browser import Browser

FIRSTS = {
    "fifty": [
        "20 of 200 requests are slow, for one reason.",
        "5,109 ms",
        "1,943 ms",
        "Time above typical requests: 7,052 ms.",
        "service-07: own code and postgresql service-07.db.example.com",
        "internal",
        "+182 + 118 ms",
        "16 of 200 GET /page",
        "each ·",
        "likely",
        "all along",
        "In no finding",
        "1,943 ms",
        "4 of 200 requests",
        "in all",
        "1 note",
        "What if",
        "Copy or save",
        "Example, GET /page 22:46:40",
        "363 ms",
        "Typical GET /page",
        "52 ms",
        "Waited for Typical Here",
        "service-07 GET /service-07 0 ms → 211 ms not in the typical one",
        "postgresql service-07.db.example.com 0 ms → 97 ms",
        "everything else 52 ms → 55 ms",
        "Next: Profile service-07, give it more CPU (on Lambda: more memory), or move work out of the request.",
        "Show the 16",
        "Open the example",
        "What differs",
        "Copy as issue",
        "Evidence",
    ],
    "order": [
        (
            "One request, 45 ms: here is where it went. 12 ms (27 %) for DynamoDB PutItem orders, 11 ms for "
            "payments.example.com, 10 ms for its own code."
        ),
        "One request cannot tell slow from typical: no cause is named. Give more traces for a verdict.",
        "1 note",
        "Copy or save",
    ],
    "flow": [
        (
            "One request, 37 ms without the consumers of its messages: here is where it went. 17 ms (46 %) for "
            "its own code, 8 ms for aws_sqs orders, 5 ms for API Gateway."
        ),
        "One request cannot tell slow from typical: no cause is named. Give more traces for a verdict.",
        "2 notes",
        "Copy or save",
    ],
    "instant": [
        "One request, 0.03 ms: here is where it went. 0.02 ms (60 %) for the code of health, 0.01 ms for redis.",
        "One request cannot tell slow from typical: no cause is named. Give more traces for a verdict.",
        "1 note",
        "Copy or save",
    ],
    "empty": [
        "No requests: no trace was read.",
        "Try one of these:",
        "lambda-latency demo",
        "lambda-latency report --xray --since 1h",
        "lambda-latency report traces.jsonl",
    ],
    "all-slow": [
        "Nothing stands out.",
        "All requests",
        "60 requests",
        "1 note",
        "What if",
        "Copy or save",
        "Copy as issue",
        (
            "Every request was compared with those of its own route. Most of their time (99 %) is "
            "payments.example.com. Judged: POST /orders."
        ),
    ],
    "all-failed": [
        "All 60 requests of POST /orders failed.",
        "61 ms",
        "Time above typical requests: 61 ms.",
        "payments.example.com",
        "external",
        "60",
        "POST /orders with status 502",
        "failed",
        "All requests",
        "60 requests",
        "1 note",
        "What if",
        "Copy or save",
        (
            "All 60 requests of POST /orders failed with status 502. In each of them a call to payments.example.com "
            "failed."
        ),
        "Example, POST /orders 22:40:00",
        "90 ms",
        "Next: Find out why calls to payments.example.com fail: an example has the status or the error.",
        "Open the example",
        "Copy as issue",
        "Evidence",
    ],
    "three": [
        "48 of 300 requests are slow, for three reasons.",
        "21.6 s",
        "16.4 s",
        "8,858 ms",
        "Time above typical requests: 47.7 s.",
        "cold start",
        "internal",
        "+902 ms",
        "24 of 300 POST /orders",
        "each ·",
        "sure",
        "all along",
        "payments.example.com",
        "external",
        "+1,338 ms",
        "12 of 300 POST /orders",
        "each ·",
        "likely",
        "all along",
        "retries DynamoDB orders",
        "internal",
        "+737 ms",
        "12 of 300 POST /orders",
        "each ·",
        "likely",
        "all along",
        "1 note",
        "What if",
        "Copy or save",
        "Example, POST /orders 22:49:04",
        "1,079 ms",
        "Typical POST /orders",
        "181 ms",
        "Waited for Typical Here",
        "cold start 0 ms → 900 ms not in the typical one",
        "everything else 181 ms → 179 ms",
        (
            "Next: Import less at module load, give the function more memory (CPU scales with memory), or keep "
            "environments warm with provisioned concurrency or SnapStart."
        ),
        "Show the 24",
        "Open the example",
        "What differs",
        "Copy as issue",
        "Evidence",
    ],
}


@pytest.mark.parametrize("state", FIRSTS)
def test_the_first_screen_says_what_is_true_and_nothing_else(
    browser: Browser, page: Callable[[str], str], state: str
) -> None:
    """All that can be read around the chart, in its order, but for the sample's note."""
    browser.show(page(state))
    parts = "['headline', 'verdict', 'detail'].map((id) => document.getElementById(id)?.innerText ?? '')"
    text = browser.run(f"return {parts}.join('\\n')").replace("\u202f", " ").replace("\t\n\t", " ")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert [line for line in lines if line and line != "A note."] == FIRSTS[state]


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
