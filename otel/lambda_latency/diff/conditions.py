"""The conditions of `diff --fail-if`, in the form of those of `report`."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from lambda_latency.diff.compare import CountsDifference
from lambda_latency.latency import Condition, Gate, Judged, read_gate

DEFAULTS = ("calls > 0", "work > 1%", "cold > 1%")
FEWEST = 500  # bytecodes that a request or a cold start must execute more, whatever their percentage


def _grown(kind: str, subject: str) -> Callable[[Gate, CountsDifference], Judged]:
    """Judge the request whose calls grew most, or whose value of another kind grew most in percent."""

    def judge(gate: Gate, difference: CountsDifference) -> Judged:
        grown = [("every request", Fraction(), "")]
        for change in difference.changes:
            is_enough = kind in ("calls", "bytes") or change.gain >= FEWEST
            if change.kind == kind and is_enough and gate.route in ("", change.subject):
                value = Fraction(change.gain if kind == "calls" else change.percent)
                grown.append((change.subject, value, str(change.place)))
        name, value, place = max(grown, key=lambda entry: entry[1])
        return gate.judged(value, f"{subject.format(name)} grew by", name if value else "", place)

    return judge


CONDITIONS = (
    Condition("calls", ("",), "calls that a request makes more", _grown("calls", "The calls of {}"), "calls > 0"),
    Condition("work", ("%",), "what a request executes more", _grown("work", "What {} executes"), "work > 1%"),
    Condition("cold", ("%",), "what a cold start executes more", _grown("cold", "The {}"), "cold > 1%"),
    Condition(
        "bytes", ("%",), "what requests send and receive more", _grown("bytes", "The bytes of {}"), "bytes > 10%"
    ),
)


def read_condition(text: str) -> Gate:
    """Parse a condition. Raises `ValueError` with the mistake and the correct form."""
    return read_gate(text, CONDITIONS)
