"""Gates: conditions that fail a report, such as `p95 > 800ms`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.part import BUCKETS
from lambda_latency.latency.accounts.totals import percentile
from lambda_latency.spelling import did_you_mean

if TYPE_CHECKING:
    from lambda_latency.latency.report import Report

__all__ = ["Gate", "Judged", "read_gate"]

EXAMPLES = "for example, 'p95 > 800ms', 'errors > 5%', 'share(external) > 60%', or with --against 'slower > 5%'"
EXPRESSION = re.compile(
    r"\s*(?P<what>\w+)\s*(?:\((?P<part>[^()]*)\))?\s*(?P<sign>[<>]=?)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>\S*)\s*"
)
SIGNS = {">": "more than", ">=": "no less than", "<": "less than", "<=": "no more than"}
NANOSECONDS = {"ms": 1_000_000, "s": 1_000_000_000}
PERCENTILE = re.compile(r"p([1-9]\d?)")


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of a gate: the value in the gate's unit, whether it failed the gate, and a sentence for people."""

    expression: str
    value: float
    failed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition that fails a report. `what` is `p1` to `p99`, `max`, `errors`, `share` or `slower`.

    `sign` is `>`, `>=`, `<` or `<=`. `limit` is in the unit `unit`: `ms`, `s` or `%`. `bucket` and `name` select the
    part of a `share`; without a name, the whole bucket.
    """

    expression: str
    what: str
    sign: str
    limit: Fraction
    unit: str
    bucket: str = ""
    name: str = ""

    def judge(self, report: Report) -> Judged:
        """Evaluate the gate on a report. `slower` is 0 % without a baseline, and if the difference may be noise."""
        value, subject = self._seen(report)
        failed = {
            ">": value > self.limit,
            ">=": value >= self.limit,
            "<": value < self.limit,
            "<=": value <= self.limit,
        }[self.sign]
        whether = SIGNS[self.sign] if failed else f"not {SIGNS[self.sign]}"
        sentence = f"{subject} {_number(value)} {self.unit}: {whether} {_number(self.limit)} {self.unit}."
        return Judged(self.expression, round(float(value), 6), failed, sentence)

    def _seen(self, report: Report) -> tuple[Fraction, str]:
        totals = report.totals
        if self.what == "slower":
            slower = Fraction(report.against.slower_percent) if report.against is not None else Fraction()
            return slower, "Requests are slower than the baseline's by"
        if self.what == "errors":
            return Fraction(100 * totals.errors, totals.requests or 1), "The share of failed requests is"
        if self.what == "share":
            parts = totals.parts.items()
            ns = sum(one.total_ns for part, one in parts if self.bucket == part.bucket and self.name in ("", part.name))
            return Fraction(100 * ns, totals.wall_ns or 1), f"The share of {self.name or self.bucket} is"
        every = PERCENTILE.fullmatch(self.what)
        wall_ns = percentile(totals.walls_ns, int(every[1])) if every is not None else max(totals.walls_ns, default=0)
        return Fraction(wall_ns, NANOSECONDS[self.unit]), f"The {self.what} of the wall clock is"


def read_gate(text: str) -> Gate:
    """Parse the expression of a gate. Raises `ValueError` with the mistake and the correct form."""
    found = EXPRESSION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a condition: write, {EXAMPLES}")
    what, part, unit = found["what"], found["part"], found["unit"]
    timed = PERCENTILE.fullmatch(what) is not None or what == "max"
    if not timed and what not in ("errors", "share", "slower"):
        usual = ("errors", "share", "slower", "max", "p50", "p95", "p99")
        hint = did_you_mean(what, usual, "known are p1 to p99, max, errors, share(...) and slower")
        raise ValueError(f"{text!r}: nothing is called {what!r}; {hint}")
    units = tuple(NANOSECONDS) if timed else ("%",)
    if unit not in units:
        raise ValueError(f"{text!r}: {what} is compared with a number of {' or '.join(units)}, got {unit or 'no unit'}")
    if (what == "share") != (part is not None):
        raise ValueError(f"{text!r}: a part in brackets goes with share, and share needs one, as in share(external)")
    bucket, name = _part(part, text) if part is not None else ("", "")
    return Gate(text.strip(), what, found["sign"], Fraction(found["number"]), unit, bucket, name)


def _part(text: str, expression: str) -> tuple[str, str]:
    """The bucket and the name in `external` or `external payments.example.com`. Raises `ValueError`."""
    wanted = " ".join(text.split())
    for bucket in BUCKETS:
        if wanted == bucket or wanted.startswith(f"{bucket} "):
            return bucket, wanted[len(bucket) + 1 :]
    hint = did_you_mean(wanted.partition(" ")[0], BUCKETS, f"buckets are {', '.join(BUCKETS)}")
    raise ValueError(f"{expression!r}: no bucket is called {wanted!r}; {hint}")


def _number(value: Fraction) -> str:
    """The number with at most three decimals, without trailing zeros."""
    return f"{float(value):,.3f}".rstrip("0").rstrip(".")
