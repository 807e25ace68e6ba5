"""Runs public apps as `serve` does, and compares their answers with what their code says. The list is apps.toml.

Without --from, runs the project's own small apps of own.toml, which have the same traits.

Usual time: 10 seconds for each app.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from lab.apps import CACHE
from lambda_latency.http import request
from lambda_latency.local.app.read.app import App, read_app
from lambda_latency.local.app.serve.session import Gathered
from lambda_latency.local.app.serve.system import Options, System
from lambda_latency.local.app.triggers.calls import request_for
from lambda_latency.local.cloud.emulator import clients
from lambda_latency.local.errors import LocalError
from lambda_latency.local.gateway.api_gateway import Answered
from lambda_latency.trace import Span

HERE = Path(__file__).parent
PATIENCE_S = 30
FUNCTION = "AWS::Lambda::Function"  # the origin of the span that the platform ends an invocation with
OWN_SCOPES = ("lambda_latency.local", "lambda_latency.runtime")  # the platform's spans, and the kit's about a handler


@dataclass(frozen=True, slots=True)
class Result:
    """One call of an app: what was wanted and what was seen; equal if it is answered as the code says."""

    app: str
    call: str
    wanted: str
    seen: str

    @property
    def is_right(self) -> bool:
        return self.wanted == self.seen


@dataclass
class Spans:
    """The spans of a running app, by trace."""

    _of: dict[str, list[Span]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def watch(self, spans: list[Span]) -> None:
        """Keep what the app's store has received."""
        with self._changed:
            for span in spans:
                self._of.setdefault(span.trace_id, []).append(span)
            self._changed.notify_all()

    def told(self, traces: Collection[str], invocations: int, patience_s: float) -> list[str]:
        """Each function that ran in some traces, with the names of the spans of its code in the order of their start
        (`Work: S3.PutObject, S3.HeadObject`), once so many functions have ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self._functions(traces)) >= invocations, patience_s)
            return [self._told(traces, name) for name in self._functions(traces)]

    def _functions(self, traces: Collection[str]) -> list[str]:
        ended = [one for trace in traces for one in self._of.get(trace, ()) if one.origin == FUNCTION]
        return sorted({str(one.resource.get("service.name")) for one in ended})

    def _told(self, traces: Collection[str], function: str) -> str:
        spans = [one for trace in traces for one in self._of[trace] if one.resource.get("service.name") == function]
        of_code = sorted((one.start_ns, one.name) for one in spans if one.scope.name not in OWN_SCOPES)
        return ": ".join(filter(None, (function, ", ".join(name for _, name in of_code))))


@dataclass
class Running:
    """An app that is up, with the lines of its start's block and the requests and events that ended."""

    app: App
    system: System
    block: list[str] = field(default_factory=list)
    ended: list[Answered] = field(default_factory=list)
    spans: Spans = field(default_factory=Spans)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def handled(self, route: str, after: int) -> str:
        """The status of the first event of a route after so many; empty if none comes."""

        def found() -> list[str]:
            return [str(one.status) for one in self.ended[after:] if one.route == route]

        with self.changed:
            self.changed.wait_for(found, PATIENCE_S)
            return next(iter(found()), "")

    def ran(self, after: int, wanted: list[str]) -> str:
        """What ran since so many requests and events, once what is wanted can have ended."""
        with self.changed:
            self.changed.wait_for(lambda: not wanted or len(self.ended) > after, PATIENCE_S)
            traces = {one.trace_id for one in self.ended[after:]}
        return "; ".join(self.spans.told(traces, len(wanted), PATIENCE_S)) or "no function"

    def values(self, given: Any) -> Any:
        """A call's arguments with physical ids."""
        if isinstance(given, dict):
            return {name: self.values(one) for name, one in given.items()}
        return self.system.stack.resources[given[1:]][0] if isinstance(given, str) and given[:1] == "$" else given


def listed(name: str) -> list[dict[str, Any]]:
    """The apps of a list: `apps.toml` or `own.toml`."""
    apps: list[dict[str, Any]] = tomlkit.parse((HERE / name).read_text(encoding="utf-8")).unwrap()["app"]
    return apps


def tried(folder: Path, app: Mapping[str, Any]) -> Iterator[Result]:
    """The results of an app's calls. An app that does not start has one result for all."""
    name = str(app["folder"])
    try:
        with _running(folder / name) as running:
            for call in app["calls"]:
                yield _result(name, call, running)
            for line in running.block:
                print(f"    {name}: {line}", file=sys.stderr)
            for wanted in app.get("block", ()):
                found = next((line for line in running.block if wanted in line), "")
                yield Result(name, "block", wanted, wanted if found else "no such line")
    except (LocalError, OSError) as error:
        yield Result(name, "start", "up", " ".join(str(error).split()))


@contextlib.contextmanager
def _running(folder: Path) -> Iterator[Running]:
    template = next(one for one in sorted(folder.glob("template.y*ml")))
    app = read_app(template, {})
    gathered = Gathered(app, lambda _: None)
    ended: list[Answered] = []
    changed = threading.Condition()

    def answered(one: Answered) -> None:
        with changed:
            ended.append(one)
            changed.notify_all()

    with tempfile.TemporaryDirectory() as out:
        options = Options(Path(out), cache=CACHE)
        with contextlib.closing(System(app, options, answered=answered, tell=gathered)) as system:
            running = Running(app, system, gathered.end(), ended, changed=changed)
            system.store.watch(running.spans.watch)
            yield running


def _result(name: str, call: Mapping[str, Any], running: Running) -> Result:
    before = len(running.ended)
    status, body = _called(call, running)
    wanted = [str(call.get("status", status))]
    seen = [status]
    if "runs" in call:
        event = running.handled(call["runs"], before)
        if "send" in call or "fire" in call:
            seen = [event]
        else:
            wanted, seen = [*wanted, f"{call['runs']} ok"], [*seen, f"{call['runs']} {event}"]
    if "answer" in call:
        wanted.append(call["answer"])
        seen.append(call["answer"] if call["answer"] in body else body[:200])
    wanted.append("; ".join(sorted(call["spans"])) or "no function")
    seen.append(running.ran(before, call["spans"]))
    return Result(name, _what(call), "; ".join(wanted), "; ".join(seen))


def _what(call: Mapping[str, Any]) -> str:
    return next(f"{kind} {call[kind]}" for kind in ("request", "invoke", "send", "fire") if kind in call)


def _called(call: Mapping[str, Any], running: Running) -> tuple[str, str]:
    """Status and body of a call; of one to an AWS service, empty ones."""
    system = running.system
    if "request" in call:
        method, _, path = call["request"].partition(" ")
        headers = {"Content-Type": "application/json"} if "body" in call else {}
        if call.get("token"):
            headers |= dict(request_for(call["request"], 0, running.app.apis[0][1]).headers)
        headers |= call.get("headers", {})
        answer = request(method, system.url + path, call.get("body"), headers, timeout_s=PATIENCE_S)
        return str(answer.status), answer.body.decode(errors="replace").strip()
    if "invoke" in call:
        outcome = system.invoke(call["invoke"], json.dumps(call.get("event", {})).encode(), route=_what(call))
        return outcome.error or "ok", outcome.payload.decode(errors="replace")
    if "fire" in call:
        request("POST", f"{system.aws_url}/_lambda-latency/schedules/{running.values(call['fire'])}", "")
        return "", ""
    service, _, operation = call["send"].partition(".")
    getattr(clients(system.aws_url)(service), operation)(**running.values(call["with"]))
    return "", ""


def main() -> None:
    """Try each app in a process of its own, or with --here in this one; status 1 if fewer than 95 % are right."""
    parser = argparse.ArgumentParser("python -m lab public-apps", description=__doc__)
    parser.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="the repository of the public apps")
    parser.add_argument("--only", action="append", metavar="NAME", help="an app of the list; may be repeated")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    results: list[Result] = []
    folder = options.folder or HERE / "own"
    for app in listed("apps.toml" if options.folder else "own.toml"):
        if options.only and app["folder"] not in options.only:
            continue
        if options.here:
            results += tried(folder, app)
            continue
        source = ["--from", str(folder)] if options.folder else []
        command = [sys.executable, "-m", "lab.public_apps", *source, "--only", app["folder"], "--here"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        results += [Result(*row) for row in rows] or [Result(app["folder"], "start", "up", f"status {done.returncode}")]
    if options.here:
        for one in results:
            print(json.dumps([one.app, one.call, one.wanted, one.seen]))
        return
    print("| app | call | as its code says | seen |\n|---|---|---|---|")
    for one in results:
        print(f"| {one.app} | {one.call} | {'yes' if one.is_right else one.wanted} | {one.seen} |")
    right = sum(one.is_right for one in results)
    print(f"\n{right} of {len(results)} calls as the code says")
    raise SystemExit(right < 0.95 * len(results))


if __name__ == "__main__":
    main()
