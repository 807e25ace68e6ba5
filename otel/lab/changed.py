"""The demo's plan twice, and once more with 100 ms more at the provider: does a comparison name that, and only that?

A run that the comparison calls disturbed is made once more, as it advises. Status 1 if it calls noise a difference in
more than one of twenty seeds, or if it misses the difference, or its bounds do not hold it, in any.

Usual time: 8 minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from lab.planted import REQUESTS, Cause, run_cause
from lambda_latency.latency import Account, Part
from lambda_latency.latency.baseline.against import Against, against
from lambda_latency.local.app.serve.loads import demo_plan
from lambda_latency.local.faults import Rule
from lambda_latency.local.load import plan_calls
from lambda_latency.text import Style
from lambda_latency.text.against import against_sentence
from lambda_latency.text.prose import flat
from tests.latency.system import account

MORE_MS = 100
PROVIDER = Part("external", "payments.example.com")


def main() -> int:
    """Run, compare, count."""
    parser = argparse.ArgumentParser("python -m lab changed", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=1, help="the seed to begin with: others than those seen before")
    options = parser.parse_args()
    seeds = options.seeds
    same = named = 0
    for seed in range(options.first, options.first + seeds):
        reads = sum(call.method == "GET" and "?" not in call.path for call in plan_calls(REQUESTS, seed))
        rules = demo_plan(seed, reads).rules
        before = _accounts(rules, seed)
        again = _compared(rules, seed, before)
        slower = _compared(tuple(map(_slower, rules)), seed, before)
        same += _say("again", seed, again, right=not again.changed and again.slower_percent == 0)
        named += _say(f"{MORE_MS} ms more", seed, slower, right=_is_named(slower))
    print(f"no difference in {same} of {seeds}; named, and held by its bounds, in {named} of {seeds}")
    return int(20 * same < 19 * seeds or named != seeds)


def _compared(rules: tuple[Rule, ...], seed: int, before: list[Account]) -> Against:
    """A run against one before it; the second one, if the first was disturbed."""
    found = against(_accounts(rules, seed), before)
    if found.answer != "disturbed":
        return found
    print(f"    a disturbed run, seed {seed}: run again", flush=True)
    return against(_accounts(rules, seed), before)


def _say(what: str, seed: int, found: Against, *, right: bool) -> bool:
    said = flat(against_sentence(found, Style(unicode=False)))
    print(f"{'ok ' if right else 'NOT'} {what}, seed {seed}: {said}", flush=True)
    return right


def _slower(rule: Rule) -> Rule:
    return replace(rule, ms=rule.ms + MORE_MS) if (rule.at, rule.kind) == ("provider", "delay") else rule


def _accounts(rules: tuple[Rule, ...], seed: int) -> list[Account]:
    with tempfile.TemporaryDirectory(prefix="changed-") as folder:
        traces = run_cause(Cause("the demo", rules, named=lambda _: True), seed, Path(folder))
    return [account(trace) for trace in traces]


def _is_named(found: Against) -> bool:
    first = found.changed[0] if found.changed else None
    if first is None or first.part != PROVIDER or first.real is None:
        return False
    return first.real.low_ns <= MORE_MS * 1_000_000 <= first.real.high_ns


if __name__ == "__main__":
    sys.exit(main())
