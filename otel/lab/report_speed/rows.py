"""The rows of the table: three corpora, each with each variation that applies to it, and other formats."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lab.generate import Document, Trace, deep_traces, plain_traces, realistic_traces
from lab.report_speed import delivery, formats, spelling, variations

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


@dataclass(frozen=True, slots=True)
class Variation:
    """The content of the traces, the order of the documents, and their spelling. `lambdas`: needs Lambda's spans."""

    change: Callable[[Trace, random.Random], Trace] = variations.unchanged
    deliver: Callable[[Iterable[Trace], random.Random], Iterator[Document]] = delivery.as_recorded
    spell: Callable[[Document, random.Random], str] = spelling.compact
    lambdas: bool = False

    def texts(self, traces: Iterable[Trace]) -> Iterator[str]:
        """The lines of a file, the same for each call."""
        draw = random.Random(4)  # noqa: S311 - a repeatable seed
        changed = (self.change(trace, draw) for trace in traces)
        return (self.spell(document, draw) + "\n" for document in self.deliver(changed, draw))


VARIATIONS = {
    "as-is": Variation(),
    "attributes-in-any-order": Variation(variations.attributes_in_any_order),
    "value-before-key": Variation(spell=spelling.value_before_key),
    "blanks": Variation(spell=spelling.blanks),
    "keys-in-any-order": Variation(spell=spelling.keys_in_any_order),
    "kind-and-status-by-name": Variation(spell=spelling.names),
    "numbers-as-numbers": Variation(spell=spelling.numbers),
    "escapes": Variation(spell=spelling.escapes),
    "one-span-open": Variation(variations.one_open),
    "init-in-each": Variation(variations.init_in_each),
    "ids-in-names": Variation(variations.ids_in_names),
    "ids-in-routes": Variation(variations.ids_in_routes),
    "many-labels": Variation(variations.many_labels),
    "collector-batches": Variation(deliver=delivery.batches),
    "exporter-batches": Variation(deliver=delivery.merged_batches),
    "shuffled": Variation(deliver=delivery.shuffled),
    "gateway-without-origin": Variation(variations.gateway_without_origin, lambdas=True),
    "handler-lost": Variation(variations.handler_lost, lambdas=True),
    "two-functions": Variation(variations.two_functions, lambdas=True),
}
ROWS = (
    *(
        Row(f"{corpus}/{name}", OTLP, traces, variation.texts)
        for corpus, traces in CORPORA.items()
        for name, variation in VARIATIONS.items()
        if corpus == "realistic" or not variation.lambdas
    ),
    *(Row(f"jaeger/{corpus}", JAEGER, traces, formats.jaeger_lines) for corpus, traces in CORPORA.items()),
    Row("jaeger/one-line", JAEGER, CORPORA["realistic"], formats.jaeger_file),
    Row("jaeger/indented", JAEGER, CORPORA["realistic"], formats.jaeger_indented, whole=True),
    *(Row(f"x-ray/{corpus}", XRAY, traces, formats.xray_answers) for corpus, traces in CORPORA.items()),
)
