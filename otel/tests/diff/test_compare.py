"""What two sides' counts say, by the rules that each was found by a failure."""

from dataclasses import replace

import pytest
from msgspec import structs

from lambda_latency.diff.compare import CountChange, CountsDifference
from lambda_latency.diff.conditions import CONDITIONS, DEFAULTS, read_condition
from lambda_latency.diff.counts import CallResult
from lambda_latency.diff.lines import ChangedPlace
from tests.diff.conftest import AT, SOURCE, Compare, executed, side, warm

PLACE = ChangedPlace("app.py:4")
REQUEST = "GET /orders"


def failed(difference: CountsDifference) -> list[str]:
    """The default conditions that a difference meets."""
    judged = [read_condition(text).judge(difference) for text in DEFAULTS]
    return [result.expression for result in judged if result.failed]


def test_nothing_changed(compared: Compare) -> None:
    """Equal counts are one request that is the same."""
    assert compared(side(warm()), side(warm())) == CountsDifference(unchanged=[REQUEST])


def test_a_call_more(compared: Compare) -> None:
    """It counts if each warm round has it, and meets the condition."""
    head = side(warm(95_000, calls={"DynamoDB GetItem Orders": 2}))
    difference = compared(side(warm()), head)
    assert difference.changes == [
        CountChange(REQUEST, "calls", "DynamoDB GetItem Orders", 1, 2, PLACE),
        CountChange(REQUEST, "work", "", 50_000, 95_000, PLACE),
    ]
    assert failed(difference) == ["calls > 0", "work > 1%"]
    once = side(warm(), warm(calls={"DynamoDB GetItem Orders": 2}), warm())
    assert compared(side(warm()), once).changes == []


def test_the_changed_line_is_the_cause(compared: Compare) -> None:
    """The work is done at the line of the base; the changed line is on the way."""
    source = SOURCE + "\ndef twice(event):\n    return get(get(event))\n"
    more = executed((AT, 50_000), ((("app.py", 8), *AT), 40_000))
    difference = compared(side(warm()), side(warm(executions=[more])), source)
    assert difference.changes[0].place == ChangedPlace("app.py:4", "app.py:8")
    assert str(difference.changes[0].place) == "app.py:4, from the changed app.py:8"


@pytest.mark.parametrize(("gain", "is_reported"), [(22, False), (50, False), (51, True), (499, True)])
def test_little_is_not_reported_and_meets_no_condition(compared: Compare, gain: int, is_reported: bool) -> None:
    """How an answer arrives changes 22 bytecodes: up to 50 are no change, up to 500 no failure."""
    difference = compared(side(warm(20_000)), side(warm(20_000 + gain)))
    change = CountChange(REQUEST, "work", "", 20_000, 20_000 + gain, PLACE)
    assert difference.changes == [change] * is_reported
    assert failed(difference) == []


def test_the_median_of_three_rounds_counts(compared: Compare) -> None:
    """A round that lost some bytecodes changes nothing."""
    difference = compared(side(warm(), warm(), warm(), warm()), side(warm(), warm(), warm(49_976), warm()))
    assert difference.unchanged == [REQUEST]


def test_growing_data_are_compared_round_by_round(compared: Compare) -> None:
    """A scan of growing data: the change is told only after a second run of both sides has repeated the counts."""
    grows = side(warm(1), warm(10_000), warm(20_000), warm(30_000))
    more = side(warm(1), warm(11_000), warm(22_000), warm(33_000))
    assert compared(grows, grows).unchanged == [REQUEST]
    unsure = compared(grows, more)
    assert (unsure.unsteady, unsure.changes) == ([REQUEST], [])
    assert list(unsure.not_compared) == [REQUEST]
    sure = compared(grows, more, second=(grows, more))
    assert [(change.base, change.head) for change in sure.changes] == [(30_000, 32_000)]
    busy = side(warm(1), warm(12_345), warm(20_000), warm(30_000))
    assert compared(grows, more, second=(busy, more)).unsteady == [REQUEST]


def test_another_status_is_not_compared(compared: Compare) -> None:
    """What another branch of the code executes says nothing about the one before."""
    difference = compared(side(warm()), side(warm(9, "500", calls={})))
    assert difference.not_compared == {REQUEST: "it answers 500 instead of 200"}
    assert difference.changes == []


def test_new_gone_and_uncalled_routes(compared: Compare) -> None:
    """They are named; a request to a route that one side lacks is not compared."""
    base = side(warm(), routes=("GET /orders", "GET /old"), declared=["GET /orders", "GET /old", "GET /never"])
    head = side(warm(), routes=("GET /orders", "GET /old"), declared=["GET /orders", "GET /new", "GET /never"])
    difference = compared(base, head)
    assert (difference.new, difference.gone, difference.not_called) == (["GET /new"], ["GET /old"], ["GET /never"])
    assert difference.unchanged == [REQUEST]


def test_another_python_is_not_compared(compared: Compare) -> None:
    """Its compiler makes other bytecodes."""
    head = side(
        warm(executions=[executed((AT, 9), python="3.13.0")]),
        imports=[executed((AT, 9), python="3.13.0")],
    )
    reason = "it runs on Python 3.13.0 instead of 3.12.1"
    assert compared(side(warm()), head).not_compared == {
        REQUEST: f"{reason}, which executes other bytecodes",
        "cold start of Get": reason,
    }


def test_a_function_that_does_not_run(compared: Compare) -> None:
    """The reason is that of the local system, in one line."""
    head = side(warm(), refused={"Image": "it is an image;\n  build it"})
    assert compared(side(warm()), head).not_compared == {"Image": "it does not run here: it is an image; build it"}


def test_a_request_that_reaches_no_function(compared: Compare) -> None:
    """It is named, and nothing is compared."""
    nothing = side(CallResult("403", 20, ["1"]), imports=[])
    difference = compared(nothing, nothing)
    assert difference.unreached == [f"{REQUEST} (403)"]
    assert (difference.changes, difference.unchanged) == ([], [])


def test_events_have_rows_of_their_own(compared: Compare) -> None:
    """Their calls are compared; another number of invocations is not."""
    event = CallResult("ok", executions=[executed((AT, 1_000), function="Worker")], calls={"S3 PutObject Files": 1})
    more = structs.replace(event, calls={"S3 PutObject Files": 3})
    base, head = (side(warm(), events={"SQS -> Worker": [result] * 4}) for result in (event, more))
    assert compared(base, head).changes == [CountChange("SQS -> Worker", "calls", "S3 PutObject Files", 1, 3)]
    absent = side(warm())
    assert compared(base, absent).not_compared == {"SQS -> Worker": "it answers no event instead of ok"}


def test_a_cold_start_is_the_import_and_what_is_done_once(compared: Compare) -> None:
    """An import inside a handler belongs to the cold start, whichever request does it."""
    cold = warm(executions=[executed((AT, 150_000), modules=["yaml", "yaml.reader"])])
    difference = compared(side(warm(60_000), warm()), side(cold, warm()))
    modules = ("yaml", "yaml.reader")
    change = CountChange("cold start of Get", "cold", "", 5_010_000, 5_100_000, PLACE, modules=modules)
    assert difference.changes == [change]
    assert failed(difference) == ["cold > 1%"]
    less = compared(side(cold, warm()), side(warm(60_000), warm()))
    assert less.changes == [replace(change, base=5_100_000, head=5_010_000)]
    assert failed(less) == []


def test_busy_loops_and_threads_are_in_no_cold_start(compared: Compare) -> None:
    """Where warm rounds differ, nobody knows what is done once; what five threads need may be loaded five times."""
    base, head = (side(warm(first), warm(9_000), warm(8_000), warm(7_000)) for first in (60_000, 250_000))
    assert compared(base, head).changes == []
    base, head = (side(warm(executions=[executed((AT, count), threads=5)]), warm()) for count in (60_000, 150_000))
    assert compared(base, head).changes == []


def test_the_library_that_executes_more(compared: Compare) -> None:
    """It is named, unless that is own code."""
    base = warm(executions=[executed((AT, 50_000), packages={"": 10_000, "botocore": 40_000})])
    head = warm(executions=[executed((AT, 60_000), packages={"": 11_000, "botocore": 49_000})])
    assert [change.package for change in compared(side(base), side(head)).changes] == ["botocore"]


def test_bytes_and_facts(compared: Compare) -> None:
    """A larger answer is reported from 64 bytes on; it meets a condition only if that is asked for."""
    head = side(warm(size=1_000, facts={"Query limit": "100"}))
    difference = compared(side(warm(facts={"Query limit": "3"})), head)
    assert difference.changes == [
        CountChange(REQUEST, "facts", "Query limit", "3", "100"),
        CountChange(REQUEST, "bytes", "", 100, 1_000),
    ]
    assert failed(difference) == []
    judged = read_condition("bytes > 10%").judge(difference)
    assert (judged.failed, judged.sentence) == (True, "The bytes of GET /orders grew by 900 %: more than 10 %.")
    assert compared(side(warm()), side(warm(size=164))).unchanged == [REQUEST]


def test_changed_packages_are_named(compared: Compare) -> None:
    """With both versions; a package that one side lacks has an empty one."""
    base = side(warm(), imports=[executed((AT, 9), installed={"boto3": "1.34.0", "six": "1.16.0"})])
    head = side(warm(), imports=[executed((AT, 9), installed={"boto3": "1.35.0", "rich": "13.0"})])
    assert compared(base, head).packages == {"boto3": ("1.34.0", "1.35.0"), "six": ("1.16.0", ""), "rich": ("", "13.0")}


def test_conditions_are_those_of_the_kit() -> None:
    """One grammar: a route in brackets, a unit, a hint for a wrong name."""
    assert [condition.example for condition in CONDITIONS] == ["calls > 0", "work > 1%", "cold > 1%", "bytes > 10%"]
    assert read_condition("calls(GET /orders) > 2").route == "GET /orders"
    for text, mistake in {
        "calls > 1%": "'calls > 1%': calls is compared with a number alone, got %",
        "call > 1": "'call > 1': nothing is called 'call'; did you mean calls?",
        "p95 > 800ms": "'p95 > 800ms': nothing is called 'p95'; known are calls, work, cold and bytes",
        "work": "'work' is not a condition: write, for example, 'calls > 0', 'work > 1%', 'cold > 1%', 'bytes > 10%'",
    }.items():
        with pytest.raises(ValueError, match=r"^") as caught:
            read_condition(text)
        assert str(caught.value) == mistake


def test_a_condition_of_one_route(compared: Compare) -> None:
    """Other routes do not meet it."""
    difference = compared(side(warm()), side(warm(calls={"DynamoDB GetItem Orders": 3})))
    judged = [read_condition(f"calls(GET {path}) > 0").judge(difference) for path in ("/orders", "/others")]
    assert [(result.failed, result.sentence) for result in judged] == [
        (True, "The calls of GET /orders grew by 2: more than 0."),
        (False, "The calls of every request grew by 0: not more than 0."),
    ]
