"""The trace store: one whole line for each export request, and those who watch spans arrive."""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lambda_latency.local.errors import LocalError
from lambda_latency.local.spans import store as module
from lambda_latency.local.spans.store import Store
from lambda_latency.trace import Problem, Span, SpanKind, dump_line, read_spans, to_otlp


def _span(number: int = 1, name: str = "work") -> Span:
    return Span(
        trace_id="6b05a667affeb9dbb0aa7f2b5d5ab5f9",
        span_id=f"{number:016x}",
        parent_id="00000000000000ff",
        parent_remote=True,
        name=name,
        kind=SpanKind.SERVER,
        start_ns=1_795_560_000_000_000_000,
        end_ns=1_795_560_000_000_000_042,
        attributes={"n": number, "list": ["a", "b"]},
        resource={"service.name": "orders"},
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store in a folder that it has to make."""
    with closing(Store(tmp_path / "out" / "deep" / "traces.jsonl")) as opened:
        yield opened


def test_spans_are_read_back_as_they_were(store: Store) -> None:
    """What was added is, to the last attribute, what the reader of trace files finds."""
    store.add([_span(1), _span(2)])
    store.add([_span(3)])
    problems: list[Problem] = []
    assert (list(read_spans(store.path, problems)), problems) == ([_span(1), _span(2), _span(3)], [])


def test_a_request_is_one_line_at_once(store: Store) -> None:
    """The line is in the file, whole, when `add` returns."""
    store.add([_span(1), _span(2)])
    line = store.path.read_text()
    store.add_otlp({"resourceSpans": []})
    assert (line, store.path.read_text()) == (
        dump_line([_span(1), _span(2)]),
        line + '{"resourceSpans":[]}\n',
    )


def test_watchers_see_the_spans_of_both_kinds(store: Store) -> None:
    """Each export request is told to each watcher as spans, whether it came as spans or as OTLP/JSON."""
    batches: list[list[Span]] = []
    copies: list[list[Span]] = []
    store.add([_span(1)])
    store.watch(batches.append)
    store.watch(copies.append)
    store.add([_span(2)])
    store.add_otlp(to_otlp([_span(3), _span(4)]))
    assert (batches, copies) == ([[_span(2)], [_span(3), _span(4)]], batches)


def test_a_document_that_cannot_be_read_is_kept_and_told_as_no_spans(store: Store) -> None:
    """The store judges nothing: a broken export request is a line for the reader to complain about."""
    batches: list[list[Span]] = []
    store.watch(batches.append)
    store.add_otlp({"resourceSpans": 3})
    assert (batches, store.path.read_text()) == ([[]], '{"resourceSpans":3}\n')


def test_what_is_forgotten_is_gone_and_its_late_spans_are_left_out(store: Store) -> None:
    """Also those of a trace that nothing was stored of; spans of later traces in the same export request stay."""
    late = replace(_span(2), start_ns=1_000)
    store.add([_span(1)])
    store.forget()
    fresh = replace(_span(3), trace_id="6b05a667000000000000000000000001", start_ns=time.time_ns(), end_ns=None)
    forgotten = store.path.read_text()
    store.add([replace(late, trace_id="6b05a667000000000000000000000002")])
    store.add_otlp(to_otlp([late]))
    store.add_otlp(to_otlp([late, fresh]))
    store.add([replace(fresh, span_id="00000000000000aa")])
    problems: list[Problem] = []
    assert (forgotten, list(read_spans(store.path, problems)), problems) == (
        "",
        [fresh, replace(fresh, span_id="00000000000000aa")],
        [],
    )


def test_an_export_that_is_being_added_while_traces_are_forgotten_is_one_of_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it has started before. Its thread was about to write it."""

    def making(name: str) -> Callable[..., object]:
        made = getattr(module, name)

        def make_and_forget(*arguments: object) -> object:
            store.forget()
            return made(*arguments)

        return make_and_forget

    store.watch(lambda _: None)
    for name in ("to_otlp", "spans_of"):
        monkeypatch.setattr(module, name, making(name))
    store.add([_span(1)])
    assert store.path.read_text() == ""
    monkeypatch.setattr(store, "_begin_ns", 0)
    store.add_otlp(to_otlp([_span(2)]))
    assert store.path.read_text() == ""


def test_lines_of_threads_do_not_mix(store: Store) -> None:
    """From eight threads, each line is one document and none is lost."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: store.add([_span(n, "w" * 5000)]), range(1, 201)))
    lines = store.path.read_text().splitlines()
    span_ids = [json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["spanId"] for line in lines]
    assert sorted(span_ids) == [f"{n:016x}" for n in range(1, 201)]


def test_a_closed_store_takes_nothing_more(store: Store) -> None:
    """What arrives while the system goes down is dropped, for watchers as well."""
    batches: list[list[Span]] = []
    store.watch(batches.append)
    store.close()
    store.add([_span()])
    assert (batches, store.path.read_text()) == ([], "")


def test_a_new_run_begins_with_an_empty_file(store: Store) -> None:
    """Traces of an earlier run are gone: the file belongs to one run."""
    store.add([_span()])
    with closing(Store(store.path)):
        assert store.path.read_text() == ""


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Where a file lies in the way of the folder, the message names the path and the option."""
    (tmp_path / "out").write_text("a file")
    with pytest.raises(LocalError) as raised:
        Store(tmp_path / "out" / "traces.jsonl")
    assert (str(raised.value), raised.value.exit_status) == (
        f"{tmp_path}/out/traces.jsonl cannot be written: File exists; choose another folder with --out",
        1,
    )


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Where a folder lies in the way of the file, the message says so."""
    with pytest.raises(LocalError) as raised:
        Store(tmp_path)
    assert str(raised.value) == f"{tmp_path} cannot be written: Is a directory; choose another folder with --out"


def test_a_full_disk_costs_whole_lines_and_is_told_at_once_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written before stays readable, and nothing is raised where a span comes from."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # no half of a compiled module is to be left
    messages: list[str] = []
    path = tmp_path / "traces.jsonl"
    line = dump_line([_span(1)])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(Store(path, messages.append)) as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(line) * 5 // 2, limits[1]))
        try:
            for _ in range(4):
                store.add([_span(1)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        store.add([_span(2)])
        assert path.read_text() == line + line + dump_line([_span(2)])
        said = (
            f"{path} cannot be written: File too large: spans are missing\n  free space, or name a file on another disk"
        )
        assert messages == [said]
    assert messages == [said, said]
