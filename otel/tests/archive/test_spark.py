"""Accounts made in partitions, as Spark makes them, are those of one report. `lab spark` runs Spark itself."""

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.generate import realistic
from lambda_latency.archive import ArchiveError, add, read_requests
from lambda_latency.archive.layout import SPANS
from lambda_latency.archive.places import place_of
from lambda_latency.archive.spark import judged, lines
from lambda_latency.archive.table import breakdowns_of
from lambda_latency.latency import Breakdowns, report_of
from lambda_latency.text import document
from lambda_latency.trace import Trace
from tests.archive.conftest import days, write


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Requests of every kind, of three days; of each trace an older version with the first half of its spans."""
    folder = tmp_path_factory.mktemp("spark")
    where, traces = str(folder / "archive"), days(3)
    (folder / "3.jsonl").write_text("".join(realistic(60)))
    add(where, [write(folder / "1.jsonl", [Trace(t.spans[: len(t.spans) // 2 + 1]) for t in traces])])
    add(where, [write(folder / "2.jsonl", traces), folder / "3.jsonl"])
    return where


def rows(where: str) -> list[dict[str, Any]]:
    """The lines of the archive's files as Spark has them, without an order."""
    paths = pa.RecordBatch.from_pydict({"path": place_of(where).names(SPANS)})
    return [row for batch in lines(where, [paths]) for row in batch.to_pylist()]


def partition(members: list[dict[str, Any]], sizes: list[int]) -> Breakdowns:
    """The accounts of a partition, whose batches have these sizes in turn."""
    ordered, batches = sorted(members, key=lambda row: str(row["trace_id"])), list[Any]()
    while ordered:
        size = sizes[len(batches) % len(sizes)]
        batches.append(pa.RecordBatch.from_pylist(ordered[:size]))
        del ordered[:size]
    results = list(judged(batches))
    return breakdowns_of(pa.Table.from_batches(results)) if results else Breakdowns()


def said(accounts: Breakdowns, where: str) -> dict[str, object]:
    """The report's JSON."""
    return document(report_of(accounts.in_order(), read_requests(where).find), command="", version="", per_request={})


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_partitions_say_what_one_report_says(archive: str, data: st.DataObject) -> None:
    """However traces are divided, lines are ordered and batches are cut."""
    span_rows = rows(archive)
    ids = sorted({row["trace_id"] for row in span_rows})
    count = data.draw(st.integers(1, 6))
    of = dict(
        zip(ids, data.draw(st.lists(st.integers(0, count - 1), min_size=len(ids), max_size=len(ids))), strict=True)
    )
    sizes = data.draw(st.lists(st.integers(1, 300), min_size=1, max_size=4))
    data.draw(st.randoms(use_true_random=False)).shuffle(span_rows)
    together = Breakdowns()
    for number in range(count):
        together.extend(partition([row for row in span_rows if of[row["trace_id"]] == number], sizes))
    archived = read_requests(archive).breakdowns
    assert said(together, archive) == said(archived, archive)


def test_a_row_names_the_newest_file_of_its_spans(archive: str) -> None:
    """As the archive's own accounts do."""
    [*results] = judged([pa.RecordBatch.from_pylist(sorted(rows(archive), key=lambda row: str(row["trace_id"])))])
    table, archived = pa.Table.from_batches(results), read_requests(archive)
    expected = dict(zip(*(archived.paths[name].to_pylist() for name in ("trace_id", "spans")), strict=True))
    assert dict(zip(*(table[name].to_pylist() for name in ("trace_id", "spans")), strict=True)) == expected


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{}\n", "has a line without a trace id\n  restore the file, or remove it"),
        (b'{"traceId":"6b05a667affeb9dbb0aa7f2b00000001"\n', "a line of the archive cannot be read: "),
    ],
)
def test_a_broken_line_ends_the_job_with_its_reason(tmp_path: Path, line: bytes, said: str) -> None:
    """Nothing is left out without a word."""
    path = tmp_path / SPANS / "2026-11-27" / "14" / "1.jsonl.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(line))
    with pytest.raises(ArchiveError) as raised:
        partition(rows(str(tmp_path)), [1])
    assert said in str(raised.value)


def test_a_file_that_was_removed_meanwhile_is_told(tmp_path: Path) -> None:
    """By a compaction, for example."""
    with pytest.raises(ArchiveError, match=r"spans/1\.gz was removed while it was to be read\n  run the job again"):
        list(lines(str(tmp_path), [pa.RecordBatch.from_pydict({"path": ["spans/1.gz"]})]))
