"""The order of the documents of many traces in a file, and the number of documents per line."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator
from typing import Any

from lab.generate import Document, Trace, late

BATCH = 50  # documents


def as_recorded(traces: Iterable[Trace], _: random.Random) -> Iterator[Document]:
    """The documents of a trace are minutes apart."""
    return late(traces)


def shuffled(traces: Iterable[Trace], draw: random.Random) -> Iterator[Document]:
    """All documents of the file in random order."""
    texts = [json.dumps(document) for trace in traces for document in trace]  # a tenth of the documents' memory
    draw.shuffle(texts)
    return map(json.loads, texts)


def batches(traces: Iterable[Trace], _: random.Random) -> Iterator[Document]:
    """Batches of the collector: fifty documents' groups, one after another, in one document."""
    for some in _by(late(traces), BATCH):
        yield {"resourceSpans": [group for document in some for group in document["resourceSpans"]]}


def merged_batches(traces: Iterable[Trace], _: random.Random) -> Iterator[Document]:
    """Batches of an exporter: the spans of fifty documents, grouped by resource and scope."""
    for some in _by(late(traces), BATCH):
        groups: dict[str, dict[str, Any]] = {}
        for group in (group for document in some for group in document["resourceSpans"]):
            merged = groups.setdefault(json.dumps(group["resource"]), {"resource": group["resource"], "scopeSpans": []})
            for members in group["scopeSpans"]:
                same = [one for one in merged["scopeSpans"] if one["scope"] == members["scope"]]
                if same:
                    same[0]["spans"] += members["spans"]
                else:
                    merged["scopeSpans"].append(members)
        yield {"resourceSpans": list(groups.values())}


def _by(documents: Iterator[Document], number: int) -> Iterator[list[Document]]:
    while some := list(itertools.islice(documents, number)):
        yield some
