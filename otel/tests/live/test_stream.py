"""From export requests to rows: each request once, whatever the order and the bounds."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.live import RunningPage, page_server
from tests.live.conftest import Listeners, Pages
from tests.live.shop import ask, line, request_spans, stack


def test_each_request_of_an_export_has_a_row(pages: Pages, listen: Listeners) -> None:
    """With its route, its time, its status and its largest parts."""
    page = pages()
    page.add(line(request_spans(1, 40), request_spans(2, 90, status=404)))
    rows = listen(page).rows(2)
    told = {row["id"][-1]: (row["route"], round(row["ns"] / 1e6), row["status"], row["parts"][0][:2]) for row in rows}
    payments = ["payments.example.com", "external"]
    assert told == {"2": ("GET /orders", 40, 200, payments), "3": ("GET /orders", 90, 404, payments)}
    assert [row["n"] for row in rows] == [1, 2]


def test_the_row_of_an_error_has_its_line(pages: Pages, listen: Listeners) -> None:
    """The innermost one that is not a package's."""
    page = pages()
    page.add(line(request_spans(1, status=500, events=[stack()])))
    [row] = listen(page).rows(1)
    assert (row["error"], row["what"], row["where"]) == (True, "Declined: no money", "shop/app.py:12 view")


def test_late_spans_replace_the_row(pages: Pages, listen: Listeners) -> None:
    """The request stays one: in the list, in the verdict and in the file."""
    page = pages()
    root, call = request_spans(1)
    page.add(line([root]))
    listener = listen(page)
    [first] = listener.rows(1)
    page.add(line([call]))
    [second] = listener.rows(1)
    assert (first["id"], first["n"], first["parts"][0][0]) == (second["first"] and second["id"], 1, "shop: own code")
    assert (second["n"], second["first"], second["parts"][0][0]) == (2, 1, "payments.example.com")
    saved = ask(page.address, "save?minutes=0")[2]
    assert sum(json.dumps(json.loads(one)).count('"spanId"') for one in saved.splitlines()) == 2
    assert _verdict(page, "minutes=0")["requests"] == 1


def test_a_request_is_shown_when_its_end_is_told(pages: Pages, listen: Listeners) -> None:
    """And not before: its spans may come in pieces."""
    page = pages(knows_ends=True)
    listener = listen(page)
    root, call = request_spans(1)
    page.add(line([root]))
    page.add(line([call]))
    page.end(root.trace_id)
    assert [len(row["parts"]) for row in listener.rows(1)] == [2]


def test_the_oldest_requests_are_forgotten_and_the_page_is_told(pages: Pages, listen: Listeners) -> None:
    """The file has the kept ones alone, also out of an export that they share with forgotten ones."""
    page = pages(requests=3)
    listener = listen(page)
    listener.until("state")
    page.add(line(*(request_spans(number) for number in range(5))))
    state = listener.until("state", "forgotten")
    assert (state["kept"], state["forgotten"]) == (3, 2)
    ids = sorted(row["id"] for row in listen(page).rows(3))
    saved = ask(page.address, "save?minutes=0")[2]
    assert sorted({span["traceId"] for one in saved.splitlines() for span in _spans(one)}) == ids


def test_bytes_are_bounded_too(pages: Pages, listen: Listeners) -> None:
    """The lines of the kept requests take no more."""
    one = line(request_spans(1))
    page = pages(bytes=4 * len(one))
    listener = listen(page)
    for number in range(10):
        page.add(line(request_spans(number)))
    state = listener.until("state", "forgotten")
    assert state["bytes"] <= 4 * len(one)


def test_a_page_that_comes_back_gets_what_it_missed(pages: Pages, listen: Listeners) -> None:
    """From the row after the last one that it had; without one of them it is told so."""
    page = pages(requests=4)
    first = listen(page)
    page.add(line(*(request_spans(number) for number in range(2))))
    first.rows(2)
    first.close()
    page.add(line(*(request_spans(number) for number in range(2, 4))))
    again = listen(page, **{"Last-Event-ID": str(first.last)})
    assert sorted(row["n"] for row in again.rows(2)) == [3, 4]
    page.add(line(*(request_spans(number) for number in range(4, 9))))
    again.rows(4)
    assert listen(page, f"last={first.last}").until("lost") == {}


def test_verdict_and_file_are_of_what_came_after_a_clear(pages: Pages, listen: Listeners) -> None:
    """A page that was cleared asks for the rows after a number."""
    page = pages()
    page.add(line(*(request_spans(number) for number in range(4))))
    listener = listen(page)
    after = listener.rows(4)[-1]["n"]
    page.add(line(request_spans(9, route="/late")))
    listener.rows(1)
    assert _verdict(page, f"after={after}&minutes=0")["requests"] == 1
    saved = ask(page.address, f"save?minutes=0&after={after}")[2]
    assert [span["name"] for one in saved.splitlines() for span in _spans(one)] == ["GET /late", "GET"]


def test_the_running_verdict_is_that_of_report(
    pages: Pages, listen: Listeners, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Word for word, on the saved file."""
    from lambda_latency.cli import main

    page = pages()
    page.add(line(*(request_spans(number, 900 if number % 6 == 0 else 40 + number % 9) for number in range(120))))
    listen(page).rows(120)
    told = _verdict(page, "minutes=0")
    assert told["requests"] == 120
    file = tmp_path / "saved.jsonl"
    file.write_bytes(ask(page.address, "save?minutes=0")[2])
    assert main(["report", str(file), "--format", "json"]) == 0
    verdict = json.loads(capsys.readouterr().out)["verdict"]
    assert told["verdict"]["sentence"] == verdict["sentence"]


def test_a_mark_divides_the_requests_and_the_two_sides_are_compared(pages: Pages, listen: Listeners) -> None:
    """On demand; without requests on a side it says so."""
    page = pages()
    listener = listen(page)
    listener.until("state")
    page.add(line(*(request_spans(number, 40 + number % 5) for number in range(60))))
    listener.rows(60)
    page.mark("code changed")
    [mark] = listener.rows(1)
    assert (mark["mark"], mark["id"]) == ("code changed", "")
    status, _, body = ask(page.address, f"compare?mark={mark['n']}")
    assert (status, json.loads(body)["sentence"]) == (
        200,
        "No request after the change is kept: there is nothing to compare.",
    )
    page.add(line(*(request_spans(number, 300 + number % 5) for number in range(100, 160))))
    listener.rows(60)
    told = json.loads(ask(page.address, f"compare?mark={mark['n']}")[2])
    assert (told["before"], told["after"]) == (60, 60)
    assert "payments.example.com" in told["sentence"]
    assert told["sentence"].startswith("Slower than the baseline")


def test_a_request_has_its_spans_and_its_printed_lines_without_secrets(pages: Pages, listen: Listeners) -> None:
    """Bounded; the number of lines that were left out is told."""
    page = pages(log_lines=2)
    page.add(line(request_spans(1)))
    trace_id = listen(page).rows(1)[0]["id"]
    for text in ("paying order 7", "Authorization: Bearer eyJhbGciOi.secret.value1", "third"):
        page.log(trace_id, "Orders", text)
    told = json.loads(ask(page.address, f"request/{trace_id}")[2])
    assert [span["name"] for span in json.loads(told["line"].split("\t")[0])["spans"]] == [
        "shop GET /orders",
        "GET payments.example.com",
    ]
    assert (told["logs"][0], told["left_out"]) == (["Orders", "paying order 7"], 1)
    assert "eyJhbGciOi" not in told["logs"][1][1]
    assert ask(page.address, f"request/{'0' * 32}")[0] == 404


def test_the_report_of_what_is_kept_is_the_whole_page(pages: Pages, listen: Listeners) -> None:
    """With its own policy."""
    page = pages()
    assert ask(page.address, "report")[0] == 404
    page.add(line(*(request_spans(number) for number in range(30))))
    listen(page).rows(30)
    status, headers, body = ask(page.address, "report?minutes=0")
    assert (status, headers["content-type"], headers["x-frame-options"]) == (200, "text/html; charset=utf-8", "DENY")
    assert b'id="report"' in body


def test_nothing_is_read_before_somebody_looks(pages: Pages, listen: Listeners) -> None:
    """The newest lines are held; what did not fit is told."""
    one = line(request_spans(1))
    page = pages(bytes=3 * len(one))
    for number in range(5):
        assert page.add(line(request_spans(number)))
    listener = listen(page)
    assert sorted(row["id"][-1] for row in listener.rows(3)) == ["3", "4", "5"]
    assert listener.until("state", "kept")["dropped"] == 2


def test_the_end_of_the_command_is_told(pages: Pages, listen: Listeners) -> None:
    """So that the page does not try again for ever."""
    page = pages()
    listener = listen(page)
    listener.until("state")
    page.close()
    assert listener.until("end") == {}


def test_a_page_that_reads_slowly_is_told_of_the_end_too(
    pages: Pages, listen: Listeners, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection stays open until it has been told: the server's threads may be late on a busy machine."""
    released, page_events = threading.Event(), page_server.page_events

    def late(*arguments: Any) -> Iterator[bytes]:
        for events in page_events(*arguments):
            if b"event: end" in events:
                released.wait()
            yield events

    monkeypatch.setattr(page_server, "page_events", late)
    page = pages()
    listener = listen(page)
    listener.until("state")
    closing = threading.Thread(target=page.close)
    closing.start()
    closing.join(0.3)  # what would hang up does so at once
    released.set()
    assert listener.until("end") == {}
    closing.join()


def _verdict(page: RunningPage, query: str) -> dict[str, Any]:
    """The report that a page asks for."""
    status, _, body = ask(page.address, f"verdict?{query}")
    assert status == 200
    report: dict[str, Any] = json.loads(body)["report"]
    return report


def _spans(one: bytes) -> list[dict[str, str]]:
    document = json.loads(one)
    return [span for group in document["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"]]
