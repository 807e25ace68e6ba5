"""The checks of `make prove` that read traces: segments, annotations, order, what a timeout leaves, paths to X-Ray."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lab.prove.configured import ORDER, PAYMENTS, PROVIDER, timed_out
from lab.prove.place import Answer
from lab.prove.scene import Evidence, LackingError, Scene, UnexpectedError, parts, until
from lambda_latency.adopt import Wanted, make_plan, write

APP = Path(__file__).with_name("app")
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
STARTS = 5
NUMBERS = re.compile(r"(?<!Billed )(?P<name>Init Duration|Duration): (?P<ms>[0-9.]+) ms")
OFF = "Transaction Search is off"
MEMORY_MB = (512, 1024)  # both below the 1,769 MB of a whole CPU
COMPUTES = b'{"rounds": 20000000}'
RUNS = 3


def segments(scene: Scene) -> Evidence:
    answer = scene.answers[0]
    found = scene.documents(answer, lambda text: "http.route" in text or "http_route" in text)
    names = [str(document.get("name")) for document in found]
    ours = [one for document in found for one in parts(document) if "route" in json.dumps(one.get("annotations", {}))]
    return Evidence(bool(ours), f"{answer.trace_id}: segments {', '.join(names)}")


def searched(scene: Scene) -> Evidence:
    scene.refuse_unsampled(scene.answers[0])
    wanted = {answer.trace_id for answer in scene.answers}
    found: set[str] = set()

    def listed() -> bool:
        now = time.time()
        told = scene.place.client("xray").get_trace_summaries(
            StartTime=now - 900, EndTime=now, FilterExpression='annotation[http.route] = "/orders"'
        )
        found.update(one["Id"] for one in told["TraceSummaries"])
        return bool(wanted & found)

    if scene.destination == "CloudWatchLogs" and not until(listed):
        raise LackingError("Transaction Search is on, and X-Ray indexes a share of the traces only: none of these")
    until(listed)
    return Evidence(bool(wanted & found), f"{len(wanted & found)} of {len(wanted)} traces by annotation[http.route]")


def response_first(scene: Scene) -> Evidence:
    found = scene.documents(scene.answers[-1], lambda text: "AWS::Lambda::Function" in text)
    ends = {str(one.get("origin")): float(one["end_time"]) for one in found if "end_time" in one}
    stage, function = ends.get("AWS::ApiGateway::Stage"), ends.get("AWS::Lambda::Function")
    if stage is None or function is None:
        return Evidence(False, f"segments: {', '.join(ends)}")
    return Evidence(stage <= function, f"the stage ended {(function - stage) * 1000:.0f} ms before the function")


def freeze(scene: Scene) -> Evidence:
    """The last request is followed by none: what arrives was sent before the environment was frozen."""
    last = scene.answers[-1]
    found = scene.documents(last, lambda text: "DynamoDB" in text)
    calls = [one for document in found for one in parts(document) if one.get("name") == "DynamoDB"]
    return Evidence(bool(calls), f"{last.trace_id}: {len(calls)} calls of DynamoDB, no request since")


def sent_twice(scene: Scene) -> Evidence:
    now = int(time.time())
    trace_id, span_id = f"1-{now:08x}-{secrets.token_hex(12)}", secrets.token_hex(8)
    xray = scene.place.client("xray")
    for end in (now + 1, now + 2):
        document = {"name": "prove", "id": span_id, "trace_id": trace_id, "start_time": now, "end_time": end}
        xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(document)])
    found = scene.documents(Answer(200, trace_id, now, now))
    ends = sorted(one["end_time"] - now for one in found)
    return Evidence(bool(found), f"{len(found)} documents are kept, of {ends} s")


def spans_at_timeout(scene: Scene) -> Evidence:
    answer = timed_out(scene)
    found = scene.documents(answer, lambda text: "lambda.timeout" in text or "lambda_timeout" in text)
    marked = [
        one.get("name")
        for document in found
        for one in parts(document)
        if "timeout" in json.dumps(one.get("annotations", {}))
    ]
    return Evidence(bool(marked), f"{answer.trace_id}: {marked or 'no span says it'}")


def slow_provider(scene: Scene) -> Evidence:
    """Three orders wait for a provider that never answers; the report is asked, as a person would."""
    scene.refuse_unsampled(scene.answers[0])
    slow = [scene.place.call("POST", "/orders", {**ORDER, "order_id": f"o-{secrets.token_hex(4)}"}) for _ in range(3)]
    scene.documents(slow[-1], lambda text: "AWS::Lambda::Function" in text)
    whose = f'service("{scene.place.stack}/dev")'
    arguments = ["report", "--xray", "--since", "30m", "--region", scene.place.region, "--filter", whose]
    if scene.destination == "CloudWatchLogs":
        arguments = arguments[:-2]  # a filter expression finds indexed traces only
    said: list[str] = []

    def named() -> bool:
        said[:] = [scene.place.run(arguments)[1]]
        return PROVIDER in said[0]

    seen = until(named)
    line = next((one.strip() for one in said[0].splitlines() if PROVIDER in one), said[0].strip()[:120])
    return Evidence(seen, line[:160] or "the report says nothing")


def daemon(scene: Scene) -> Evidence:
    scene.place.deploy({**PAYMENTS, "Tracing": "PassThrough"}, "daemon")
    answer = scene.place.call("GET", "/orders?customer=ada")
    found = scene.documents(answer)
    return Evidence(bool(found), f"{answer.trace_id}: {len(found)} segments")


def otlp(scene: Scene) -> Evidence:
    """The deployed function sends, with the template's role. Where Transaction Search is off, its log says so."""
    scene.place.deploy({**PAYMENTS, "Tracing": "Active"}, "otlp")
    answer = scene.place.call("GET", "/orders?customer=ada")
    scene.refuse_unsampled(answer)
    if scene.destination == "CloudWatchLogs":
        found = scene.documents(answer, lambda text: "DynamoDB" in text)
        calls = [one for document in found for one in parts(document) if one.get("name") == "DynamoDB"]
        return Evidence(bool(calls), f"{answer.trace_id}: {len(calls)} calls of DynamoDB by --export otlp")
    if scene.destination != "XRay":
        raise UnexpectedError(f"GetTraceSegmentDestination says {scene.destination!r}")
    name = scene.resources("AWS::Logs::LogGroup")["ListOrdersLog"]
    lines: list[str] = []

    def told() -> bool:
        events = scene.place.client("logs").filter_log_events(
            logGroupName=name, startTime=int(answer.begun_s * 1000) - 1000, filterPattern='"lambda-latency"'
        )["events"]
        lines[:] = [one["message"] for one in events]
        return any(OFF in one for one in lines)

    seen = until(told)
    said = next((one for one in lines if OFF in one), lines[-1] if lines else "no line in the function's log")
    return Evidence(seen, said.strip()[:160])


def adopted(scene: Scene) -> Evidence:
    """An app of two functions, one of them with the X-Ray SDK, edited by `adopt`, deployed, and invoked."""
    name = adopted_functions(scene)["Bare"]
    told = invoked(scene, name)
    found = re.search(r"XRAY TraceId: (\S+)", told)
    trace_id = found[1] if found is not None else ""
    if not trace_id:
        raise UnexpectedError("Lambda's log of the invocation names no XRAY TraceId")
    now = time.time()
    documents = scene.documents(Answer(200, trace_id, now, now), lambda text: "STS" in text)
    calls = [one for document in documents for one in parts(document) if "STS" in str(one.get("name"))]
    return Evidence(bool(calls), f"{trace_id}: {name} is adopted, {len(calls)} calls of STS traced")


def starts(scene: Scene) -> Evidence:
    """Medians of five cold starts and of the warm invocations after them, by Lambda's own log."""
    with tempfile.TemporaryDirectory(prefix="lambda-latency-prove-") as folder:
        scene.place.deploy_app(_copied(Path(folder, "app")), f"{scene.place.stack}-plain")
    plain = scene.resources("AWS::Lambda::Function", f"{scene.place.stack}-plain")
    kit = adopted_functions(scene)
    functions = {"none": plain["Bare"], "X-Ray SDK": plain["Sdk"], "kit": kit["Bare"]}
    measured = {name: _medians(scene, function) for name, function in functions.items()}
    cold = ", ".join(f"{name} {numbers[0]:.0f}" for name, numbers in measured.items())
    wait = ", ".join(f"{name} {numbers[1]:.1f}" for name, numbers in measured.items())
    return Evidence(True, f"cold start in ms: {cold}; warm invocation in ms: {wait}")


def adopted_functions(scene: Scene) -> dict[str, str]:
    """The functions of the app that `adopt` has edited, which is deployed once."""
    stack = f"{scene.place.stack}-adopted"
    with contextlib.suppress(ClientError):  # a stack that is not there
        return scene.resources("AWS::Lambda::Function", stack)
    with tempfile.TemporaryDirectory(prefix="lambda-latency-prove-") as folder:
        app = _copied(Path(folder, "app"))
        write(make_plan(app / "template.yaml", Wanted(regions=(scene.place.region,))))
        scene.place.deploy_app(app, stack)
    return scene.resources("AWS::Lambda::Function", stack)


def _copied(folder: Path) -> Path:
    """The app for the runtime of this Python, which builds it."""
    shutil.copytree(APP, folder, ignore=shutil.ignore_patterns("__pycache__"))
    template = folder / "template.yaml"
    template.write_text(template.read_text().replace("python3.13", VERSION))
    return folder


def _medians(scene: Scene, function: str) -> tuple[float, float]:
    """Milliseconds of init at a cold start, and of an invocation when warm."""
    client = scene.place.client("lambda")
    cold, warm = [], []
    for number in range(STARTS):
        client.update_function_configuration(FunctionName=function, Description=f"cold start {number}")
        client.get_waiter("function_updated").wait(FunctionName=function)
        cold.append(milliseconds(invoked(scene, function), "Init Duration"))
        warm.append(milliseconds(invoked(scene, function), "Duration"))
    return statistics.median(cold), statistics.median(warm)


def invoked(scene: Scene, function: str, event: bytes = b"{}") -> str:
    """The end of the log of an invocation."""
    told: Any = scene.place.client("lambda").invoke(FunctionName=function, LogType="Tail", Payload=event)
    if told.get("FunctionError"):
        raise UnexpectedError(f"{function} failed: {told['FunctionError']}")
    return base64.b64decode(told["LogResult"]).decode("utf-8", "replace")


def milliseconds(log: str, name: str) -> float:
    """The milliseconds of `Duration` or `Init Duration` in Lambda's REPORT."""
    for found in NUMBERS.finditer(log):
        if found["name"] == name:
            return float(found["ms"])
    raise UnexpectedError(f"Lambda's REPORT has no {name}")


def twice(scene: Scene) -> Evidence:
    """Medians of a computing handler at some memory and at twice as much, by Lambda's own log."""
    client, function = scene.place.client("lambda"), adopted_functions(scene)["Bare"]
    took: list[float] = []
    for memory in MEMORY_MB:
        client.update_function_configuration(FunctionName=function, MemorySize=memory)
        client.get_waiter("function_updated").wait(FunctionName=function)
        invoked(scene, function)  # the cold start
        took.append(
            statistics.median([milliseconds(invoked(scene, function, COMPUTES), "Duration") for _ in range(RUNS)])
        )
    return Evidence(
        0.4 <= took[1] / took[0] <= 0.6,
        f"{took[0]:,.0f} ms at {MEMORY_MB[0]} MB, {took[1]:,.0f} ms at {MEMORY_MB[1]:,} MB",
    )
