"""The order of documents in the report's benchmark, and how many of them make a line."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from lab.generate import Document, Trace, realistic_traces
from lab.report_speed import delivery
from tests.lab.report_speed.reading import spans_in

Deliver = Callable[[Iterable[Trace], random.Random], Iterator[Document]]
DELIVERIES: list[Deliver] = [getattr(delivery, name) for name in delivery.__all__]
TRACES = 60


def _delivered(deliver: Deliver) -> list[Document]:
    return list(deliver(realistic_traces(TRACES), random.Random(1)))  # noqa: S311 - a seed that can be repeated


@pytest.mark.parametrize("deliver", DELIVERIES, ids=delivery.__all__)
def test_every_delivery_is_the_same_spans(deliver: Deliver, tmp_path: Path) -> None:
    """And the same lines each time."""
    made = [json.dumps(document) + "\n" for trace in realistic_traces(TRACES) for document in trace]
    lines = [json.dumps(document) + "\n" for document in _delivered(deliver)]
    assert lines == [json.dumps(document) + "\n" for document in _delivered(deliver)] != made
    assert spans_in(tmp_path, lines) == spans_in(tmp_path, made)


def test_lines_hold_as_many_groups_as_they_say() -> None:
    """One each, or those of fifty documents, or of these one for each resource."""
    groups = {
        deliver.__name__: [len(document["resourceSpans"]) for document in _delivered(deliver)] for deliver in DELIVERIES
    }
    assert groups == {
        "as_recorded": [1] * 4 * TRACES,
        "batches": [50, 50, 50, 50, 40],
        "merged_batches": [4] * 5,
        "shuffled": [1] * 4 * TRACES,
    }


def test_an_exporter_puts_spans_of_one_scope_together() -> None:
    """No resource has a scope twice."""
    for document in _delivered(delivery.merged_batches):
        for group in document["resourceSpans"]:
            scopes = [members["scope"]["name"] for members in group["scopeSpans"]]
            assert len(set(scopes)) == len(scopes)
