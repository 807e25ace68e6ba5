"""The checks of `make prove` that read traces: segments, annotations, order, what a timeout leaves, paths to X-Ray."""

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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lab.prove.configured import PAYMENTS, PROVIDER, UNPAID, new_order, timed_out
from lab.prove.place import Answer
from lab.prove.scene import Evidence, LackingError, Scene, UnexpectedError, parts, until
from lambda_latency.adopt import AdoptOptions, make_plan, write

APP = Path(__file__).with_name("app")
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
STARTS = 5
SLOW_ORDERS = 10  # a verdict needs eight requests with one cause
NUMBERS = re.compile(r"(?<!Billed )(?P<name>Init Duration|Duration): (?P<ms>[0-9.]+) ms")
OFF = "Transaction Search is off"
MEMORY_MB = (512, 1024)  # both below the 1,769 MB of a whole CPU
COMPUTES = b'{"rounds": 20000000}'
RUNS = 3


def segments(scene: Scene) -> Evidence:
    answer = scene.answers[0]
    documents = scene.documents(answer, lambda text: "http.route" in text or "http_route" in text)
    names = [str(document.get("name")) for document in documents]
    routed = [p for document in documents for p in parts(document) if "route" in json.dumps(p.get("annotations", {}))]
    return Evidence(bool(routed), f"{answer.trace_id}: segments {', '.join(names)}")


def searched(scene: Scene) -> Evidence:
    scene.refuse_unsampled(scene.answers[0])
    sent = {answer.trace_id for answer in scene.answers}
    indexed: set[str] = set()

    def listed() -> bool:
        now_s = time.time()
        summaries = scene.place.client("xray").get_trace_summaries(
            StartTime=now_s - 900, EndTime=now_s, FilterExpression='annotation[http.route] = "/orders"'
        )
        indexed.update(summary["Id"] for summary in summaries["TraceSummaries"])
        return bool(sent & indexed)

    if scene.destination == "CloudWatchLogs" and not until(listed):
        raise LackingError("Transaction Search is on, and X-Ray indexes a share of the traces only: none of these")
    until(listed)
    return Evidence(bool(sent & indexed), f"{len(sent & indexed)} of {len(sent)} traces by annotation[http.route]")


def response_first(scene: Scene) -> Evidence:
    documents = scene.documents(scene.answers[-1], lambda text: "AWS::Lambda::Function" in text)
    ends = {str(d.get("origin")): float(d["end_time"]) for d in documents if "end_time" in d}
    stage, function = ends.get("AWS::ApiGateway::Stage"), ends.get("AWS::Lambda::Function")
    if stage is None or function is None:
        return Evidence(False, f"segments: {', '.join(ends)}")
    return Evidence(stage <= function, f"the stage ended {(function - stage) * 1000:.0f} ms before the function")


def freeze(scene: Scene) -> Evidence:
    """The last request is followed by none: what arrives was sent before the environment was frozen."""
    answer = scene.answers[-1]
    calls = _dynamodb_calls(scene, answer)
    return Evidence(calls > 0, f"{answer.trace_id}: {calls} calls of DynamoDB, no request since")


def _dynamodb_calls(scene: Scene, answer: Answer) -> int:
    documents = scene.documents(answer, lambda text: "DynamoDB" in text)
    return sum(part.get("name") == "DynamoDB" for document in documents for part in parts(document))


def sent_twice(scene: Scene) -> Evidence:
    now_s = int(time.time())
    trace_id, span_id = f"1-{now_s:08x}-{secrets.token_hex(12)}", secrets.token_hex(8)
    xray = scene.place.client("xray")
    for end in (now_s + 1, now_s + 2):
        document = {"name": "prove", "id": span_id, "trace_id": trace_id, "start_time": now_s, "end_time": end}
        answer = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(document)])
        refused = [segment.get("Message", segment) for segment in answer.get("UnprocessedTraceSegments", ())]
        if refused:
            return Evidence(False, f"PutTraceSegments: {refused[0]}")
    documents = scene.documents(Answer(200, trace_id, now_s), lambda text: str(now_s + 2) in text)
    ends = sorted(round(document["end_time"] - now_s) for document in documents)
    return Evidence(2 in ends, f"{len(documents)} documents are retained, of {ends} s: the second must be one")


def spans_at_timeout(scene: Scene) -> Evidence:
    answer = timed_out(scene)
    documents = scene.documents(answer, lambda text: "lambda.timeout" in text or "lambda_timeout" in text)
    marked = [
        part.get("name")
        for document in documents
        for part in parts(document)
        if "timeout" in json.dumps(part.get("annotations", {}))
    ]
    return Evidence(bool(marked), f"{answer.trace_id}: {marked or 'no span says it'}")


def slow_provider(scene: Scene) -> Evidence:
    """Orders wait for a provider that never answers; the report must name it as their cause."""
    scene.refuse_unsampled(scene.answers[0])
    slow = [scene.call("POST", "/orders", new_order(), statuses=UNPAID) for _ in range(SLOW_ORDERS)]
    scene.documents(slow[-1], lambda text: "AWS::Lambda::Function" in text)
    whose = f'service("{scene.place.stack}/dev")'
    fetch = ["fetch", "--since", "30m", "--region", scene.place.region]
    if scene.destination != "CloudWatchLogs":  # a filter expression finds indexed traces only
        fetch += ["--filter", whose]
    said: list[str] = []

    def is_named() -> bool:
        with tempfile.TemporaryDirectory() as folder:
            traces, path = str(Path(folder, "traces.jsonl")), Path(folder, "report.json")
            fetched, error = scene.place.run([*fetch, "--out", traces])
            status, text = scene.place.run(["report", traces, "--slow", "1000", "--format", f"json={path}"])
            if status not in (0, 4) or not path.exists():
                said[:] = [f"fetch ended with {fetched}, report with {status}: {(text or error).strip()}"]
                return False
            document = json.loads(path.read_text())
        said[:] = [document["verdict"]["sentence"], *document["beside"]["sentences"]]
        return PROVIDER in external_causes(document)

    is_seen = until(is_named)
    naming = [sentence for sentence in said if PROVIDER in sentence]
    return Evidence(is_seen, (naming or said)[0][:160])


def external_causes(document: Mapping[str, Any]) -> set[str]:
    """What a report in JSON names as the external cause: of slow requests, or of a route that is slow as a whole."""
    cells = [document["verdict"], *(route["cell"] for route in document["beside"]["whole_routes"])]
    return {str(cell["name"]) for cell in cells if cell["bucket"] == "external" and cell["owner"] == "theirs"}


def daemon(scene: Scene) -> Evidence:
    """The stage's own segment arrives without a daemon, so the function's calls are looked for."""
    scene.place.deploy({**PAYMENTS, "Tracing": "PassThrough"}, "daemon")
    answer = scene.call("GET", "/orders?customer=ada")
    calls = _dynamodb_calls(scene, answer)
    return Evidence(calls > 0, f"{answer.trace_id}: {calls} calls of DynamoDB without active tracing")


def otlp(scene: Scene) -> Evidence:
    """The deployed function sends, with the template's role. Where Transaction Search is off, its log says so."""
    scene.place.deploy({**PAYMENTS, "Tracing": "Active"}, "otlp")
    answer = scene.call("GET", "/orders?customer=ada")
    scene.refuse_unsampled(answer)
    if scene.destination == "CloudWatchLogs":
        calls = _dynamodb_calls(scene, answer)
        return Evidence(calls > 0, f"{answer.trace_id}: {calls} calls of DynamoDB by --export otlp")
    if scene.destination != "XRay":
        raise UnexpectedError(f"GetTraceSegmentDestination says {scene.destination!r}")
    name = scene.resources("AWS::Logs::LogGroup")["ListOrdersLog"]
    lines: list[str] = []

    def told() -> bool:
        events = scene.place.client("logs").filter_log_events(
            logGroupName=name, startTime=int(answer.begun_s * 1000) - 1000, filterPattern='"lambda-latency"'
        )["events"]
        lines[:] = [event["message"] for event in events]
        return any(OFF in line for line in lines)

    is_told = until(told)
    said = next((line for line in lines if OFF in line), lines[-1] if lines else "no line in the function's log")
    return Evidence(is_told, said.strip()[:160])


def adopted(scene: Scene) -> Evidence:
    """An app of two functions, one of them with the X-Ray SDK, edited by `adopt`, deployed, and invoked."""
    name = adopted_functions(scene)["Bare"]
    log = invoked(scene, name)
    match = re.search(r"XRAY TraceId: (\S+)", log)
    trace_id = match[1] if match is not None else ""
    if not trace_id:
        raise UnexpectedError("Lambda's log of the invocation names no XRAY TraceId")
    now_s = time.time()
    documents = scene.documents(Answer(200, trace_id, now_s), lambda text: "STS" in text)
    calls = [part for document in documents for part in parts(document) if "STS" in str(part.get("name"))]
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
        write(make_plan(app / "template.yaml", AdoptOptions(regions=(scene.place.region,))))
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
    answer: Any = scene.place.client("lambda").invoke(FunctionName=function, LogType="Tail", Payload=event)
    if answer.get("FunctionError"):
        raise UnexpectedError(f"{function} failed: {answer['FunctionError']}")
    return base64.b64decode(answer["LogResult"]).decode("utf-8", "replace")


def milliseconds(log: str, name: str) -> float:
    """The milliseconds of `Duration` or `Init Duration` in Lambda's REPORT."""
    for match in NUMBERS.finditer(log):
        if match["name"] == name:
            return float(match["ms"])
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
