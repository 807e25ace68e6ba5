"""Runs public apps as `serve` does, and compares their answers with what their code says. The list is apps.toml.

Without --from, runs the project's own small apps of own.toml, which have the same traits.

Usual time: 10 seconds for each app.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from lab.apps import CACHE
from lambda_latency.http import request
from lambda_latency.local.app.read.apis import Api
from lambda_latency.local.app.read.app import LocalApp, read_app
from lambda_latency.local.app.serve.session import DifferenceNotes
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.app.triggers.calls import request_for, served
from lambda_latency.local.cloud.clients import clients
from lambda_latency.local.errors import LocalError
from lambda_latency.local.front import Answered
from lambda_latency.trace import Span

HERE = Path(__file__).parent
PATIENCE_S = 30
OWN_KEY = "$key"  # in place of a key of the app's usage plan
FUNCTION = "AWS::Lambda::Function"  # the origin of the span that the platform ends an invocation with
OWN_SCOPES = ("lambda_latency.local", "lambda_latency.runtime")  # the platform's spans, and the kit's about a handler


@dataclass(frozen=True, slots=True)
class CallResult:
    """One call of an app: what was expected and what was observed; equal if it is answered as the code says."""

    app: str
    call: str
    expected: str
    observed: str

    @property
    def is_right(self) -> bool:
        return self.expected == self.observed


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

    def described(self, traces: Collection[str], invocations: int, patience_s: float) -> list[str]:
        """Each function that ran in some traces, with the names of the spans of its code in the order of their start
        (`Work: S3.PutObject, S3.HeadObject`), once so many functions have ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self._functions(traces)) >= invocations, patience_s)
            return [self._described(traces, name) for name in self._functions(traces)]

    def _functions(self, traces: Collection[str]) -> list[str]:
        ended = [span for trace in traces for span in self._of.get(trace, ()) if span.origin == FUNCTION]
        return sorted({str(span.resource.get("service.name")) for span in ended})

    def _described(self, traces: Collection[str], function: str) -> str:
        spans = [span for trace in traces for span in self._of[trace] if span.resource.get("service.name") == function]
        of_code = sorted((span.start_ns, span.name) for span in spans if span.scope.name not in OWN_SCOPES)
        return ": ".join(filter(None, (function, ", ".join(name for _, name in of_code))))


@dataclass
class Running:
    """An app that is up, with the lines of its start's block and the requests and events that ended."""

    app: LocalApp
    system: System
    block: list[str] = field(default_factory=list)
    ended: list[Answered] = field(default_factory=list)
    spans: Spans = field(default_factory=Spans)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def handled(self, route: str, start: int) -> str:
        """The status of the first event of a route after so many; empty if none comes."""

        def found() -> list[str]:
            return [str(answered.status) for answered in self.ended[start:] if answered.route == route]

        with self.changed:
            self.changed.wait_for(found, PATIENCE_S)
            return next(iter(found()), "")

    def ran(self, start: int, expected: list[str], *, answered: bool) -> str:
        """What ran since so many requests and events, once what is wanted can have ended.

        `answered`: one has ended in any case, which would count as that of the next call if it were not waited for.
        """
        with self.changed:
            self.changed.wait_for(lambda: not (expected or answered) or len(self.ended) > start, PATIENCE_S)
            traces = {answered.trace_id for answered in self.ended[start:]}
        return "; ".join(self.spans.described(traces, len(expected), PATIENCE_S)) or "no function"

    def values(self, raw: Any) -> Any:
        """A call's arguments with physical ids."""
        if isinstance(raw, dict):
            return {name: self.values(inner) for name, inner in raw.items()}
        return self.system.stack.resources[raw[1:]][0] if isinstance(raw, str) and raw[:1] == "$" else raw


def listed(name: str) -> list[dict[str, Any]]:
    """The apps of a list: `apps.toml` or `own.toml`."""
    apps: list[dict[str, Any]] = tomlkit.parse((HERE / name).read_text(encoding="utf-8")).unwrap()["app"]
    return apps


def tried(folder: Path, app: Mapping[str, Any]) -> Iterator[CallResult]:
    """The results of an app's calls. An app that does not start has one result for all."""
    name = str(app["folder"])
    try:
        with _running(folder / name) as running:
            for call in app["calls"]:
                yield _result(name, call, running)
            for line in running.block:
                print(f"    {name}: {line}", file=sys.stderr)
            for expected in app.get("block", ()):
                matching = next((line for line in running.block if expected in line), "")
                yield CallResult(name, "block", expected, expected if matching else "no such line")
    except (LocalError, OSError) as error:
        yield CallResult(name, "start", "up", " ".join(str(error).split()))


@contextlib.contextmanager
def _running(folder: Path) -> Iterator[Running]:
    template = next(path for path in sorted(folder.glob("template.y*ml")))
    app = read_app(template, {})
    gathered = DifferenceNotes(app, lambda _: None)
    ended: list[Answered] = []
    changed = threading.Condition()

    def answered(event: Answered) -> None:
        with changed:
            ended.append(event)
            changed.notify_all()

    with tempfile.TemporaryDirectory() as out:
        options = SystemOptions(Path(out), cache=CACHE)
        with contextlib.closing(System(app, options, answered=answered, tell=gathered)) as system:
            running = Running(app, system, gathered.end(), ended, changed=changed)
            system.store.watch(running.spans.watch)
            yield running


def _result(name: str, call: Mapping[str, Any], running: Running) -> CallResult:
    start = len(running.ended)
    status, body = _called(call, running)
    expected = [str(call.get("status", status))]
    observed = [status]
    if "runs" in call:
        event = running.handled(call["runs"], start)
        if "send" in call or "fire" in call:
            observed = [event]
        else:
            expected, observed = [*expected, f"{call['runs']} ok"], [*observed, f"{call['runs']} {event}"]
    if "answer" in call:
        expected.append(call["answer"])
        observed.append(call["answer"] if call["answer"] in body else body[:200])
    expected.append("; ".join(sorted(call["spans"])) or "no function")
    observed.append(running.ran(start, call["spans"], answered="request" in call))
    return CallResult(name, _what(call), "; ".join(expected), "; ".join(observed))


def _what(call: Mapping[str, Any]) -> str:
    return next(f"{kind} {call[kind]}" for kind in ("request", "invoke", "send", "fire") if kind in call)


def _called(call: Mapping[str, Any], running: Running) -> tuple[str, str]:
    """Status and body of a call; of one to an AWS service, empty ones."""
    system = running.system
    if "request" in call:
        method, _, path = call["request"].partition(" ")
        routes = [(api, name) for api in served(system) for name in api.matching(method, path.partition("?")[0])]
        url = system.urls[routes[0][0].key] if routes else system.url
        headers = _headers(call, routes, system)
        answer = request(method, url + path, call.get("body"), headers, timeout_s=PATIENCE_S)
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


def _headers(call: Mapping[str, Any], routes: Sequence[tuple[Api, str]], system: System) -> dict[str, str]:
    """The headers of a request that leads to the first of these routes."""
    headers = {"Content-Type": "application/json"} if "body" in call else {}
    if call.get("token"):
        api, name = routes[0]
        headers |= dict(request_for(name, api, system).headers)
    headers |= call.get("headers", {})
    if headers.get("x-api-key") == OWN_KEY:
        headers["x-api-key"] = system.api_key(routes[0][0])
    return headers


def main(parser: argparse.ArgumentParser) -> None:
    """Try each app in a process of its own, or with --here in this one; status 1 if fewer than 95 % are right."""
    parser.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="the repository of the public apps")
    parser.add_argument("--only", action="append", metavar="NAME", help="an app of the list; may be repeated")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    apps = listed("apps.toml" if options.folder else "own.toml")
    chosen = [app for app in apps if not options.only or app["folder"] in options.only]
    if options.here:
        folder = options.folder or HERE / "own"
        own_results = [result for app in chosen for result in tried(folder, app)]
        for result in own_results:
            print(json.dumps([result.app, result.call, result.expected, result.observed]))
        return
    results = [result for app in chosen for result in _in_process(options.folder, app["folder"])]
    print("| app | call | as its code says | seen |\n|---|---|---|---|")
    for result in results:
        print(f"| {result.app} | {result.call} | {'yes' if result.is_right else result.expected} | {result.observed} |")
    right = sum(result.is_right for result in results)
    print(f"\n{right} of {len(results)} calls as the code says")
    raise SystemExit(right < 0.95 * len(results))


def _in_process(folder: Path | None, app: str) -> list[CallResult]:
    """The results of an app's calls, by a process of its own."""
    source = ["--from", str(folder)] if folder else []
    command = [sys.executable, "-m", "lab", "public-apps", *source, "--only", app, "--here"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [CallResult(*row) for row in rows] or [CallResult(app, "start", "up", f"status {done.returncode}")]
