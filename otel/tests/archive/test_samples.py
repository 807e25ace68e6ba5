"""The sample of spans that an archive stores beside its accounts: a report reads it, and no file of spans."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.archive import add, compact, prune, read_requests
from lambda_latency.cli import main
from lambda_latency.latency import Breakdowns
from lambda_latency.trace import Trace, read_traces
from tests.archive.conftest import moved, write
from tests.latency.attributed import Order, attributed
from tests.latency.generated import load

HOUR_NS = 3600 * 1_000_000_000


def _order(number: int, draw: random.Random) -> Order:
    attributes: dict[str, object] = {"tenant.id": f"t-{draw.randrange(8)}", "cart.items": draw.randrange(400)}
    return Order(number, attributes, {"service.version": draw.choice("123")}, {})


def _orders(seed: int, count: int = 400) -> list[Trace]:
    """The orders of an hour, of which one tenant's wait long for payments."""
    traces = attributed(_order, lambda order, _: order.first["tenant.id"] == "t-3", count, seed)
    return [
        Trace([moved(span, f"{seed:02x}{trace.trace_id[2:]}", seed * HOUR_NS) for span in trace.spans])
        for trace in traces
    ]


def _report(source: object, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON of a report, without the names of its sources."""
    assert main(["report", str(source), "--quiet", "--format", "json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return {key: value for key, value in document.items() if key not in ("sources", "command")}


@pytest.fixture(autouse=True)
def _without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an owner's settings a report may need all spans."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("count", [400, 3_000])
def test_a_report_says_what_that_of_the_file_says_without_any_span_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    """Its verdict, its examples, and which requests are slow."""
    where, file = tmp_path / "archive", write(tmp_path / "orders.jsonl", _orders(1, count))
    add(str(where), [file])
    shutil.rmtree(where / "spans")
    report = _report(where, capsys)
    assert report == _report(file, capsys)
    assert "tenant.id" in json.dumps(report["classes"])


def test_what_several_writers_sampled_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each hour's sample the report has an example and the requests that it compares, before a compaction and after
    it.
    """
    where = tmp_path / "archive"
    for seed in (1, 2, 3):
        add(str(where), [write(tmp_path / f"{seed}.jsonl", _orders(seed, 1_500))])
    uncompacted = _report(where, capsys)
    compact(str(where), 0)
    shutil.rmtree(where / "spans")
    compacted = _report(where, capsys)
    assert [compacted[key] for key in ("classes", "verdict")] == [uncompacted[key] for key in ("classes", "verdict")]
    assert "tenant.id" in json.dumps(compacted["classes"])
    example = compacted["classes"][0]["trace_id"]
    assert read_requests(str(where)).breakdowns.sampled is not None
    assert example in read_requests(str(where)).find([example])


def test_samples_that_no_request_refers_to_are_removed(tmp_path: Path) -> None:
    """By a compaction, as a killed writer leaves them; and all of them with their days."""
    where = tmp_path / "archive"
    add(str(where), [write(tmp_path / "orders.jsonl", _orders(1))])
    [sample] = (where / "samples").rglob("*.sample")
    orphan = sample.with_name("0000000001-000000010123456789ab.sample")
    shutil.copy(sample, orphan)
    compact(str(where))
    assert list((where / "samples").rglob("*.sample")) == [sample]
    prune(str(where), 2**62)
    assert not (where / "samples").exists()


def test_several_processes_write_what_one_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them parts of the requests; accounts and spans are those of one process."""
    monkeypatch.setattr("lambda_latency.archive.writing.processors", lambda: 2)
    file, archives = write(tmp_path / "t.jsonl", load()), [tmp_path / "one", tmp_path / "two"]
    for where, part in zip(archives, (10_000, 7), strict=True):
        monkeypatch.setattr("lambda_latency.archive.writing.PART", part)
        added = add(str(where), [file])
        assert (added.traces, added.spans) == (len(load()), sum(len(trace.spans) for trace in load()))
    single, several = (sorted(read_requests(str(where)).breakdowns, key=lambda b: b.trace_id) for where in archives)
    assert single == several == sorted(Breakdowns(single), key=lambda b: b.trace_id)
    assert [read_traces(where / "spans").traces for where in archives] == [read_traces(file).traces] * 2
