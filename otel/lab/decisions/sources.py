"""The decision on the same two files by each way to a report: files, archives, a live page, an alarm, an assistant."""

from __future__ import annotations

import contextlib
import io
import json
import re
import time
from pathlib import Path
from typing import Any

from lambda_latency.agent.answers.verdicts import compare
from lambda_latency.agent.loading import Loader, ToolCall
from lambda_latency.agent.roots import Roots
from lambda_latency.alarm import Alarm, Evidence, explain
from lambda_latency.archive import add
from lambda_latency.cli import main as command
from lambda_latency.latency import DEFAULT_OPTIONS
from lambda_latency.live.bounds import Bounds
from lambda_latency.live.inbox import Inbox
from lambda_latency.live.log_store import LogStore
from lambda_latency.live.reporting import Reporting, Window
from lambda_latency.live.stream import Stream, Waits
from lambda_latency.page import SpanRedaction
from lambda_latency.text import decision_values
from lambda_latency.trace import Source

PATIENCE_S = 60.0


def decisions(old: Path, new: Path) -> dict[str, Any]:
    """Return the decision by each way as JSON values; that of an assistant as its sentence, beside that of files."""
    archives = [path.with_suffix("") for path in (old, new)]
    for archive, path in zip(archives, (old, new), strict=True):
        add(str(archive), [path])
    of_files, of_archives = _reported(old, new), _reported(*archives)
    return {
        "file": of_files["decision"],
        "archive": of_archives["decision"],
        "live": _live(old, new),
        "alarm": _alarm(old, new),
        "sentence": _words(of_files["sentence"]),
        "assistant": _words(_assistant(old, new)),
    }


def _words(sentence: str) -> str:
    """A sentence without quotes and bounds: an assistant's answer quotes names, and these seed the bounds' draws."""
    return re.sub(r" \(between [^)]*\)", "", sentence.replace('"', ""))


def _reported(old: Path, new: Path) -> dict[str, Any]:
    path = new.parent / "report.json"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        command(["report", str(new), "--against", str(old), "--format", f"json={path}", "--quiet"])
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["against"]
    return values


def _live(old: Path, new: Path) -> Any:
    redaction = SpanRedaction(keeps=True)
    inbox, bounds = Inbox(Bounds().inbox, Bounds().bytes), Bounds()
    stream = Stream(inbox, LogStore(bounds), bounds, DEFAULT_OPTIONS, Waits(0.0, 0.0), redaction)
    stream.start()
    try:
        _fill(stream, inbox, old)
        stream.mark("changed")
        mark = stream.after(stream.last, PATIENCE_S).number
        _fill(stream, inbox, new)
        return json.loads(Reporting(stream, "", redaction).compared(Window(0), mark))["decision"]
    finally:
        stream.close()


def _fill(stream: Stream, inbox: Inbox, path: Path) -> None:
    """Send a file to the page, and wait until each of its requests has a row."""
    line = path.read_bytes()
    expected = stream.last + len({*re.findall(rb'"traceId":"(\w+)"', line)})
    inbox.add(line)
    end_s = time.monotonic() + PATIENCE_S
    while stream.last < expected and time.monotonic() < end_s:
        stream.after(stream.last, 1.0)


def _alarm(old: Path, new: Path) -> Any:
    alarm = Alarm("slow", "eu-west-1", "123456789012", "ALARM", "OK", 0, 0)
    evidence = Evidence(sample=[Source(new.name, new)], hour_before=[Source(old.name, old)])
    compared = explain(alarm, evidence).report.against
    return json.loads(json.dumps(decision_values(compared.decision))) if compared is not None else None


def _assistant(old: Path, new: Path) -> str:
    loader = Loader(Roots([new.parent]), DEFAULT_OPTIONS)
    lines = compare(loader, ToolCall(), old.name, new.name).splitlines()
    return lines[0]
