"""The rows of the table: three corpora in each format."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lab.generate import Trace, deep_traces, plain_traces, realistic_traces
from lab.report_speed import formats

OTLP, JAEGER, XRAY = "OTLP", "Jaeger", "X-Ray"
# About 25 MB of OTLP/JSON each: the constant 20 ms for tables and verdict do not matter, and a row takes seconds.
CORPORA: dict[str, Callable[[], Iterator[Trace]]] = {
    "realistic": lambda: realistic_traces(2200),
    "plain": lambda: plain_traces(1200, 50),
    "deep": lambda: deep_traces(120, 500),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A file to measure: `traces` creates its traces, `texts` their documents as text, each with its end of line.

    `whole`: the file is one document over many lines.
    """

    name: str
    format: str
    traces: Callable[[], Iterator[Trace]]
    texts: Callable[[Iterable[Trace]], Iterator[str]]
    whole: bool = False


ROWS = (
    *(Row(f"otlp/{corpus}", OTLP, traces, formats.otlp_lines) for corpus, traces in CORPORA.items()),
    *(Row(f"jaeger/{corpus}", JAEGER, traces, formats.jaeger_lines) for corpus, traces in CORPORA.items()),
    Row("jaeger/one-line", JAEGER, CORPORA["realistic"], formats.jaeger_file),
    Row("jaeger/indented", JAEGER, CORPORA["realistic"], formats.jaeger_indented, whole=True),
    *(Row(f"x-ray/{corpus}", XRAY, traces, formats.xray_answers) for corpus, traces in CORPORA.items()),
)
