"""Causes that are planted in durable executions: does a report name the right part first, and blame no wait?

Sets of 24, 100 and 400 executions, of which a share has a slow step, a retried step, a long callback, a slow replay, a
cold start, a slow branch, or a slow step of a child execution; and sets without a cause. They are recorded by each of
the plugin's two classes, with and without the kit, in one trace or one for each invocation, as OTLP and as X-Ray
documents. With `--examples` AWS's own examples run instead. Status 1 if fewer than 48 of 50 causes are named, or a part
is blamed where nothing is slow.

Usual time: 1 minute.
"""

import json
import random
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

from lab.durable.examples import examples_are_right
from lab.durable.executions import BEGIN_NS, Form, Group, Invoke, Operation, Pause, Player, Step, by_trace
from lambda_latency.latency import Breakdowns, Report, load, report_of
from lambda_latency.text import Style
from lambda_latency.text.prose import flat, sentence
from lambda_latency.trace import LineIndex, Source, Span, dump_line, find_traces
from tests.xray.platform import xray_documents

SIZES = {24: 4, 100: 12, 400: 40}  # executions, and how many are slow
FORMS = (
    Form(), Form(by_invocation=True), Form(of_kit=True), Form(by_invocation=True, of_kit=True),
    Form(on_lambda=True, traces=True), Form(by_invocation=True, on_lambda=True), Form(traces=True),
    Form(by_invocation=True, traces=True), Form(of_kit=True, on_lambda=True),
    Form(by_invocation=True, of_kit=True, traces=True),
)  # fmt: skip
CAUSES = {
    "slow step": "step charge",
    "retried step": "step charge",
    "long callback": "",
    "slow replay": "replay",
    "cold start": "cold start",
    "parallel branch": "step quote-2",
    "child execution": "step pack",
}
NAMED, PLANTED, WITHOUT = 48, 50, 20


class Planted(NamedTuple):
    """A set of executions with a cause, or without one, in a form."""

    seed: int
    cause: str
    size: int
    form: Form
    as_xray: bool


def main(parser: ArgumentParser) -> int:
    """Plant, report, compare; status 1 if a bound does not hold."""
    parser.add_argument("--seed", type=int, default=1, help="another one makes other sets (1)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only sets with this in their line")
    parser.add_argument("--examples", type=Path, metavar="FOLDER", help="run the examples of AWS's repository instead:"
                        " its folder packages/aws-durable-execution-sdk-python-examples")  # fmt: skip
    options = parser.parse_args()
    if options.examples is not None:
        return int(not examples_are_right(options.examples.resolve(), options.only, named_first))
    right = blamed = 0
    for planted in (planted for planted in sets(options.seed) if options.only in described(planted)):
        report, said = judged(planted)
        is_right = named_first(report) == CAUSES.get(planted.cause, "")
        right += is_right and bool(planted.cause)
        blamed += not is_right and not planted.cause
        print(f"{'ok ' if is_right else 'NOT'} {described(planted)}: {said}", flush=True)
    print(f"{right} of {PLANTED} causes named first; {blamed} of {WITHOUT} sets without a cause blame a part")
    return int(right < NAMED or blamed > 0)


def sets(seed: int) -> list[Planted]:
    """The planted sets, and those without a cause: sizes, forms and documents in turns."""
    kinds = list(product(SIZES, CAUSES))
    causes = [kinds[index % len(kinds)] for index in range(PLANTED)]
    causes += [(list(SIZES)[index % len(SIZES)], "") for index in range(WITHOUT)]
    return [
        Planted(seed * 1000 + index, cause, size, _form(index, cause), as_xray=index % 3 == 2)
        for index, (size, cause) in enumerate(causes)
    ]


def _form(index: int, cause: str) -> Form:
    """A form; only Lambda and the kit record cold starts."""
    forms = [form for form in FORMS if cause != "cold start" or form.of_kit or form.on_lambda]
    return forms[index % len(forms)]


def described(planted: Planted) -> str:
    """Return the set in words."""
    form = [name for name, is_set in zip(("by invocation", "kit", "Lambda", "a trace each"), _flags(planted.form),
                                         strict=True) if is_set]  # fmt: skip
    document = "X-Ray" if planted.as_xray else "OTLP"
    return f"{planted.cause or 'no cause'}, {planted.size} executions, {', '.join([*form, document])}"


def _flags(form: Form) -> tuple[bool, ...]:
    return form.by_invocation, form.of_kit, form.on_lambda, form.traces


def judged(planted: Planted) -> tuple[Report, str]:
    """Return the report on a set, and its sentence."""
    with tempfile.TemporaryDirectory(prefix="durable-") as folder:
        path = Path(folder, "traces.jsonl")
        write(spans_of_set(planted), path, as_xray=planted.as_xray)
        source, index = Source(path.name, path), LineIndex()
        report = report_of(read(source, index), partial(find_traces, [source], index=index))
        return report, flat(sentence(report, Style(unicode=False)))


def read(source: Source, index: LineIndex) -> Breakdowns:
    """Read the executions of a file."""
    return load([source], [], index=index)


def write(spans: Sequence[Span], path: Path, *, as_xray: bool) -> None:
    """Write spans as OTLP, or as X-Ray's segment documents."""
    if as_xray:
        path.write_text("".join(json.dumps(document) + "\n" for document in xray_documents(spans)), "utf-8")
    else:
        path.write_text("".join(map(dump_line, by_trace(spans))), "utf-8")


def named_first(report: Report) -> str:
    """The part that a report names first; empty if it blames none, or says that no one part stands out."""
    if report.verdict.component is not None:
        return report.verdict.component.label
    is_thin = report.verdict.kind == "thin" and report.comparison.has_dominant
    return report.verdict.candidates[0].component.label if is_thin else ""


def spans_of_set(planted: Planted) -> list[Span]:
    """The spans of the executions of a set."""
    draw = random.Random(planted.seed)  # noqa: S311 - a simulation
    slow = set(draw.sample(range(planted.size), SIZES[planted.size])) if planted.cause else set()
    spans: list[Span] = []
    for number in range(planted.size):
        cause = planted.cause if number in slow else ""
        player = Player(planted.form, "ProcessOrder", draw, now_ns=BEGIN_NS + number * 20 * 10**9)
        player.code_ms = 400.0 if cause == "slow replay" else 4.0
        player.cold_ms = 1_200.0 if cause == "cold start" else 0.0
        player.play(order(cause, draw))
        spans += player.spans
    return spans


def order(cause: str, draw: random.Random) -> list[Operation]:
    """An order: reserved, quoted by three at a time, approved, charged, and shipped by another function."""
    charge = {"slow step": [1_000.0], "retried step": [90.0, 90.0, 100.0]}.get(cause, [100.0])
    quotes = [[Step(f"quote-{number}", [60.0])] for number in (1, 2, 3)]
    if cause == "parallel branch":
        quotes[1] = [Step("quote-2", [800.0])]
    approval_s = draw.lognormvariate(4, 0.4) * (40 if cause == "long callback" else 1)
    pack = Step("pack", [900.0 if cause == "child execution" else 50.0])
    return [
        Step("reserve", [40.0]),
        Group("quotes", quotes),
        Pause("settle", 5.0),
        Pause("approval", approval_s, "CALLBACK"),
        Group("payment", [[Step("charge", charge)]]),
        Invoke("ship", "ShipOrder", [Step("pack", pack.attempts_ms), Pause("label", 3.0), Step("send", [30.0])]),
        Step("notify", [25.0]),
    ]
