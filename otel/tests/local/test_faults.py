"""The fault plan: what it may say, and how often a fault happens."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lambda_latency.local.errors import UsageError
from lambda_latency.local.faults import FaultPlan, FaultRule, Faults, read_plan

ADVICE = '\n  for example {"rules": [{"at": "provider", "kind": "delay", "share": 0.2, "ms": 900}]}'


def _places(faults: Faults, calls: int, *routes: str) -> list[int]:
    return [call for call in range(calls) if faults.next(routes)]


def _slow(share: float, seed: int = 1, route: str | None = None) -> Faults:
    return FaultPlan(seed, (FaultRule("provider", "delay", share, ms=1, route=route),)).faults_at("provider")


def test_a_plan_is_read_whole() -> None:
    """Every key of a plan and of a rule is kept; what is left out has its default."""
    text = """{"seed": 7, "rules": [
        {"at": "provider", "kind": "status", "share": 0.05, "status": 500, "route": "POST /orders"},
        {"at": "function", "kind": "cpu", "ms": 40},
        {"at": "connect", "kind": "reset", "share": 1}
    ]}"""
    assert FaultPlan.from_json(text) == FaultPlan(
        7,
        (
            FaultRule("provider", "status", 0.05, ms=0, route="POST /orders", status=500),
            FaultRule("function", "cpu", 1.0, ms=40, route=None, status=503),
            FaultRule("connect", "reset", 1.0, ms=0, route=None, status=503),
        ),
    )


def test_an_empty_plan_has_no_faults() -> None:
    """A plan may be without rules, and then nothing is ever hit."""
    plan = FaultPlan.from_json('{"rules": []}')
    assert (plan, bool(plan.faults_at("provider")), plan.faults_at("provider").next()) == (
        FaultPlan(1, ()),
        False,
        None,
    )


def test_a_plan_survives_the_way_to_a_child_process() -> None:
    """What `to_json` writes, `from_json` reads as the same plan."""
    plan = FaultPlan(
        3, (FaultRule("table", "throttle", 1 / 3), FaultRule("function", "timeout", 0.1, 5, "GET /orders/{id}", 504))
    )
    assert FaultPlan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nope", "the fault plan is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[]", 'a fault plan is an object with "rules", a list'),
        ("{}", 'a fault plan is an object with "rules", a list'),
        ('{"rules": {}}', 'a fault plan is an object with "rules", a list'),
        ('{"rules": [], "sed": 2}', "the fault plan: unknown key 'sed'; did you mean 'seed'?"),
        ('{"rules": [], "x": 2}', "the fault plan: unknown key 'x'; known are seed, rules"),
        ('{"rules": [], "seed": "2"}', "\"seed\" must be a whole number, got '2'"),
        ('{"rules": [], "seed": true}', '"seed" must be a whole number, got True'),
    ],
)
def test_a_broken_plan_is_told(text: str, message: str) -> None:
    """The message says what is wrong with the plan, what was seen, and shows one that is right."""
    with pytest.raises(UsageError) as raised:
        FaultPlan.from_json(text)
    assert str(raised.value) == message + ADVICE


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (3, "rule 2 must be an object, got 3"),
        ({"shares": 1}, "rule 2: unknown key 'shares'; did you mean 'share'?"),
        ({"x": 1}, "rule 2: unknown key 'x'; known are at, kind, share, ms, route, status"),
        ({}, 'rule 2: "at" must be one of provider, table, connect, function, got None'),
        ({"at": "here"}, "rule 2: \"at\" must be one of provider, table, connect, function, got 'here'"),
        ({"at": ["table"]}, "rule 2: \"at\" must be one of provider, table, connect, function, got ['table']"),
        ({"at": "table"}, 'rule 2: "kind" at table must be one of delay, throttle, status, hang, reset, got None'),
        (
            {"at": "connect", "kind": "throttle"},
            "rule 2: \"kind\" at connect must be one of delay, hang, reset, got 'throttle'",
        ),
        (
            {"at": "function", "kind": "status"},
            "rule 2: \"kind\" at function must be one of delay, cpu, regex, lock, timeout, got 'status'",
        ),
        ({"at": "table", "kind": "hang", "share": 1.5}, 'rule 2: "share" must be between 0 and 1, got 1.5'),
        ({"at": "table", "kind": "hang", "share": -0.1}, 'rule 2: "share" must be between 0 and 1, got -0.1'),
        ({"at": "table", "kind": "hang", "share": True}, 'rule 2: "share" must be between 0 and 1, got True'),
        ({"at": "table", "kind": "hang", "share": "1"}, "rule 2: \"share\" must be between 0 and 1, got '1'"),
        ({"at": "table", "kind": "hang", "share": float("nan")}, 'rule 2: "share" must be between 0 and 1, got nan'),
        (
            {"at": "table", "kind": "delay"},
            'rule 2: "ms" must be a whole number of milliseconds above 0, got None',
        ),
        (
            {"at": "function", "kind": "cpu", "ms": 0},
            'rule 2: "ms" must be a whole number of milliseconds above 0, got 0',
        ),
        (
            {"at": "table", "kind": "delay", "ms": 1.5},
            'rule 2: "ms" must be a whole number of milliseconds above 0, got 1.5',
        ),
        (
            {"at": "table", "kind": "hang", "ms": -1},
            'rule 2: "ms" must be a whole number of milliseconds above 0, got -1',
        ),
        (
            {"at": "table", "kind": "hang", "route": "/orders"},
            'rule 2: "route" must read like "POST /orders" (and none at connect), got \'/orders\'',
        ),
        (
            {"at": "connect", "kind": "hang", "route": "POST /orders"},
            'rule 2: "route" must read like "POST /orders" (and none at connect), got \'POST /orders\'',
        ),
        (
            {"at": "table", "kind": "status", "status": 200},
            'rule 2: "status" must be between 400 and 599, got 200',
        ),
        (
            {"at": "table", "kind": "status", "status": "503"},
            "rule 2: \"status\" must be between 400 and 599, got '503'",
        ),
    ],
)
def test_a_broken_rule_is_told(rule: object, message: str) -> None:
    """The message says which rule is wrong, what was seen and what is right."""
    right = {"at": "table", "kind": "hang"}
    with pytest.raises(UsageError) as raised:
        FaultPlan.from_json(json.dumps({"rules": [right, rule]}))
    assert str(raised.value) == message + ADVICE


def test_a_plan_is_read_from_a_file(tmp_path: Path) -> None:
    """A file with a plan is that plan."""
    (tmp_path / "plan.json").write_text('{"rules": [{"at": "table", "kind": "hang"}]}')
    assert read_plan(tmp_path / "plan.json") == FaultPlan(1, (FaultRule("table", "hang", 1.0),))


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    """The message of a plan in a file begins with the file."""
    (tmp_path / "plan.json").write_text('{"rules": [1]}')
    with pytest.raises(UsageError) as raised:
        read_plan(tmp_path / "plan.json")
    assert str(raised.value) == f"{tmp_path}/plan.json: rule 1 must be an object, got 1{ADVICE}"


@pytest.mark.parametrize(("name", "reason"), [("missing.json", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str, reason: str) -> None:
    """The message names the file and the reason."""
    path = tmp_path / name
    with pytest.raises(UsageError) as raised:
        read_plan(path)
    assert str(raised.value) == f"{path} cannot be read: {reason}\n  --faults takes a JSON file"


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are a message, too."""
    path = tmp_path / "plan.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError) as raised:
        read_plan(path)
    assert str(raised.value) == f"{path} is not UTF-8 text\n  --faults takes a JSON file"


@pytest.mark.parametrize(
    ("share", "calls", "hits"),
    [(1 / 3, 300, 100), (1 / 3, 3, 1), (0.05, 200, 10), (1, 50, 50), (0, 50, 0), (0.7, 10, 7), (1 / 49, 49, 1)],
)
def test_a_share_is_met_exactly(share: float, calls: int, hits: int) -> None:
    """Of n calls, share times n are hit, whatever the seed."""
    assert [len(_places(_slow(share, seed), calls)) for seed in range(30)] == [hits] * 30


@pytest.mark.parametrize("share", [1 / 3, 0.05, 0.31, 0.7, 0.999])
def test_hits_are_spread_evenly(share: float) -> None:
    """After any number of calls, the hits so far are within one of what the share asks for."""
    places = _places(_slow(share), 400)
    assert all(abs(sum(place < n for place in places) - share * n) <= 1 for n in range(401))


def test_the_seed_decides_the_places() -> None:
    """The same seed hits the same calls, another seed other ones."""
    places, repeated, reseeded = (_places(_slow(0.1, seed), 200) for seed in (1, 1, 2))
    assert (places == repeated, places == reseeded, len(reseeded)) == (True, False, 20)


def test_two_rules_of_a_plan_hit_different_calls() -> None:
    """Each rule is drawn for itself: rules of the same share do not always meet in one call."""
    plan = FaultPlan(1, (FaultRule("table", "delay", 0.1, ms=1), FaultRule("table", "hang", 0.1)))
    faults = plan.faults_at("table")
    kinds = [fault.kind for fault in (faults.next() for _ in range(300)) if fault]
    assert (kinds.count("delay"), kinds.count("hang") > 20) == (30, True)


def test_the_first_rule_that_hits_wins() -> None:
    """One call suffers one fault."""
    plan = FaultPlan(1, (FaultRule("table", "delay", 1, ms=1), FaultRule("table", "hang", 1)))
    faults = plan.faults_at("table")
    assert [faults.next(), faults.next()] == [plan.rules[0]] * 2


def test_a_rule_with_a_route_counts_only_calls_of_that_route() -> None:
    """Other routes are not hit, and do not use up the share of the one that is named."""
    faults = _slow(0.5, route="POST /orders")
    unmatched = [faults.next(("GET /orders",)) for _ in range(101)] + [faults.next() for _ in range(101)]
    matched = _places(faults, 100, "GET /orders/{id}", "POST /orders")
    assert (set(unmatched), len(matched)) == ({None}, 50)


def test_faults_are_those_of_the_places_asked_for() -> None:
    """The provider never meets the faults of the table."""
    plan = FaultPlan(1, (FaultRule("table", "hang", 1), FaultRule("provider", "reset", 1)))
    assert [plan.faults_at(place).next() for place in ("provider", "table", "connect")] == [
        plan.rules[1],
        plan.rules[0],
        None,
    ]


def test_threads_share_one_count() -> None:
    """Calls from several threads together are hit as often as those of one."""
    faults = _slow(0.05)
    with ThreadPoolExecutor(8) as threads:
        hits = sum(threads.map(lambda _: len(_places(faults, 250)), range(8)))
    assert hits == 100
