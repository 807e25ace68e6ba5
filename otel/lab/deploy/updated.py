"""A stack of an earlier commit's template, updated to today's: its table, its API's address and its orders stay."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from lab.commands import ROOT
from lab.deploy.cloud import Cloud
from lab.deploy.example import BUILD, CALLS, expect, joined, step
from lab.deploy.translation import translate
from lambda_latency.local.errors import LocalError
from lambda_latency.local.faults import Plan
from lambda_latency.local.processes import Processes
from lambda_latency.local.services import Service
from lambda_latency.local.xray.receiver import serve_receiver
from lambda_latency.local.xray.store import Store
from lambda_latency.trace import read_traces

__all__ = ["main"]

STACK = "updated"
# What an owner has addresses, data and permissions of; an API's deployment and a layer's version are new each time.
STAYING = ("Api", "OrdersTable", *(f"{function}{kind}" for kind in ("", "Log", "Role")
           for function in ("CreateOrder", "GetOrder", "ListOrders", "CancelOrder")))  # fmt: skip


def main(commit: str) -> int:
    """Run it for the template of a commit; 0 if every step went as it should."""
    begun, log = time.monotonic(), list[str]()
    with tempfile.TemporaryDirectory(prefix="lambda-latency-updated-") as folder, ExitStack() as stack:
        try:
            _update(stack, commit, Path(folder), log)
        except (AssertionError, LocalError, subprocess.CalledProcessError) as error:
            print(f"FAILED: {error}", *(f"  {line}" for line in log[-20:]), sep="\n", file=sys.stderr)
            return 1
    print(f"Deployed, updated, used and deleted in {time.monotonic() - begun:.1f} s.")
    return 0


def _update(stack: ExitStack, commit: str, folder: Path, log: list[str]) -> None:
    store = Store(folder / "traces.jsonl")
    stack.callback(store.close)
    processes = stack.enter_context(Processes())
    receiver = serve_receiver(store.add_otlp)
    stack.callback(receiver.close)
    spans = f"http://{receiver.address}/v1/traces"
    given = ["--spans", spans, "--faults", Plan().to_json()]
    provider = Service("lambda_latency.local.provider", given, processes, log.append)
    stack.callback(provider.stop)
    with step("the emulator is up"):
        cloud = Cloud(processes, log.append)
        stack.callback(cloud.close)
    payments = f"PaymentsUrl=http://127.0.0.1:{provider.wait_until_ready()}"
    with step(f"sam build of {commit}"):
        earlier = _checked_out(commit, folder / "earlier")
        cloud.sam("build", "--template", str(earlier / "template.yaml"), "--build-dir", str(folder / "built"))
    with step(f"sam deploy of {commit}"):
        _deploy(cloud, translate(folder / "built" / "template.yaml", spans), payments)
    url = cloud.outputs(STACK)["ApiUrl"]
    before = {logical: physical for logical, _, physical in cloud.made(STACK) if logical in STAYING}
    expect("resources that an owner has", sorted(before), sorted(STAYING))
    (method, path, body, status, *_), (_, read, _, found, _, spans_of) = CALLS[:2]
    expect(f"{method} {path}", cloud.call(url, method, path, body)[0], status)
    with step("sam build"):
        cloud.sam("build", "--build-dir", str(BUILD))
    with step("sam deploy over it"):
        _deploy(cloud, translate(BUILD / "template.yaml", spans), payments)
    after = {logical: physical for logical, _, physical in cloud.made(STACK) if logical in STAYING}
    expect("physical ids", after, before)
    expect("the API's address", cloud.outputs(STACK)["ApiUrl"], url)
    seen = {trace.trace_id for trace in read_traces(store.path).traces}
    expect("the order of before", cloud.call(url, "GET", read)[0], found)
    expect("its trace", joined(store.path, seen, spans_of), spans_of)
    with step("delete"):
        cloud.delete(STACK)


def _checked_out(commit: str, folder: Path) -> Path:
    """The files of a commit, with this checkout's environment and packages."""
    folder.mkdir()
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "--extract"], cwd=folder, input=packed, check=True)
    for name in (".venv", "build"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def _deploy(cloud: Cloud, template: Path, *parameters: str) -> None:
    cloud.sam("deploy", "--template", str(template), "--stack-name", STACK, "--resolve-s3", "--capabilities",
              "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--parameter-overrides", *parameters)  # fmt: skip
