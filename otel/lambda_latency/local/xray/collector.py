"""Chooses and starts the collector between the functions and the laptop's X-Ray.

A program (`make collector`) runs collector.yaml with one block changed: its awsxray exporter cannot be built from the
available Go modules, so an `otlphttp` exporter replaces it. AWS's image in Docker runs the file unchanged.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lambda_latency.local.errors import LocalError, UsageError
from lambda_latency.local.processes import Processes
from lambda_latency.local.services import Service
from lambda_latency.template import Finding, read_collector

BUILT = Path("build/collector/otelcol")  # below the folder of the template
SOURCE = Path("requirements/collector.yaml")  # the builder's file, which only a checkout has
IMAGE = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
DOCKER_PORT = 4318
# The exporter that replaces awsxray. As awsxray, it neither queues nor retries, so a sender waits for the answer. Its
# timeout is longer than the second of collector.yaml, because a busy laptop is slower than X-Ray.
STAND_IN = (
    '{{endpoint: "{0}", compression: none, timeout: 30s, sending_queue: {{enabled: false}}, '
    "retry_on_failure: {{enabled: false}}}}"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The collector that receives the spans. `sentence` describes it to the user."""

    kind: Literal["none", "program", "docker"]
    sentence: str
    program: Path = BUILT


IN_DOCKER = Choice(
    "docker", "Collector: AWS's image in Docker (compose.yaml); its awsxray exporter sends to the laptop's X-Ray."
)


def choose_collector(asked: str | None, root: Path) -> Choice:
    """The requested collector (docker, none, or the path of a program), else the one that is found below `root`.

    Raises `UsageError` for a program that cannot be run, and for docker if Docker is missing or not running.
    """
    if asked == "none":
        return Choice("none", "No collector (--collector none): spans went directly to the laptop's stores.")
    if asked == "docker":
        _check_docker()
        return IN_DOCKER
    program = Path(asked) if asked is not None else root / BUILT
    if os.access(program, os.X_OK) and program.is_file():
        where = program.relative_to(root) if program.is_relative_to(root) else program
        return Choice("program", f"Collector: {where}; the laptop's X-Ray replaces awsxray.", program)
    if asked is not None:
        raise UsageError(
            f"--collector {asked} is not an executable program",
            "use docker, none, or the path of a collector (make collector builds one)",
        )
    if _succeeds("docker", "image", "inspect", IMAGE):
        return IN_DOCKER
    how = "make collector builds one" if (root / SOURCE).exists() else "--collector names one"
    return Choice("none", f"No collector was found ({how}): spans went directly to the laptop's stores.")


class RunningCollector:
    """A collector that receives OTLP/HTTP at `traces_url`.

    `spans_url` is the laptop's OTLP receiver, without a path; `xray_url` is its X-Ray, for a collector with awsxray.
    Raises `LocalError` if the collector does not start.
    """

    def __init__(
        self,
        choice: Choice,
        root: Path,
        processes: Processes,
        *,
        spans_url: str,
        xray_url: str,
        log: Callable[[str], None],
    ) -> None:
        self._down: list[str] = []
        if choice.kind == "docker":
            port = DOCKER_PORT
            self._service = self._docker(root, processes, spans_url, xray_url, log)
            limit_s = 300.0  # an image of 60 MB may have to be downloaded first
        else:
            port, grpc = _free_ports(2)
            config = processes.folder() / "collector.yaml"
            config.write_text(_with_stand_in(root / "collector.yaml", spans_url), encoding="utf-8")
            self._service = Service(
                "collector",
                [
                    f"--config={config}",
                    f"--config=yaml:receivers::otlp::protocols::http::endpoint: 127.0.0.1:{port}",
                    f"--config=yaml:receivers::otlp::protocols::grpc::endpoint: 127.0.0.1:{grpc}",
                ],
                processes,
                log,
                command=[str(choice.program.resolve())],
            )
            limit_s = 30.0
        self.traces_url = f"http://127.0.0.1:{port}/v1/traces"
        try:
            self._service.wait_until_listening(port, limit_s)
        except LocalError:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the collector. No span is lost, because it queues nothing."""
        self._service.stop(10)
        if self._down:
            subprocess.run(self._down, capture_output=True, check=False, timeout=60)

    def _docker(
        self, root: Path, processes: Processes, spans_url: str, xray_url: str, log: Callable[[str], None]
    ) -> Service:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", DOCKER_PORT)) == 0:
                raise LocalError(
                    f"port {DOCKER_PORT} of 127.0.0.1 is taken, and the collector of Docker listens there",
                    "stop the program that listens there (docker ps), or use --collector none",
                )
        viewer = "viewer" in os.environ.get("COMPOSE_PROFILES", "").split(",")
        exporters = ["awsxray", "otlphttp/laptop", *(["otlp/viewer"] if viewer else [])]
        compose = ["docker", "compose", "--file", str(root / "compose.yaml")]
        self._down = [*compose, "down", "--timeout", "5"]
        variables = {
            "AWS_REGION": "us-east-1",
            "XRAY_ENDPOINT": xray_url,
            "LAPTOP_ENDPOINT": spans_url,
            "EXPORTERS": f"[{', '.join(exporters)}]",
        }
        return Service("docker compose", ["up", "--no-color"], processes, log, command=compose, variables=variables)


def _with_stand_in(path: Path, spans_url: str) -> str:
    collector = read_collector(path)
    if isinstance(collector, Finding):
        raise UsageError(str(collector), "correct the collector's file")
    return collector.with_exporter("awsxray", "otlphttp/awsxray", STAND_IN.format(spans_url))


def _check_docker() -> None:
    if shutil.which("docker") is None:
        raise UsageError(
            "--collector docker: docker is not installed", "install Docker, or run make collector and remove the option"
        )
    if not _succeeds("docker", "compose", "version"):
        raise UsageError("--collector docker: docker has no compose", "install its plugin, docker-compose-plugin")
    if not _succeeds("docker", "info"):
        raise UsageError("--collector docker: the Docker daemon does not answer", "start it, or use --collector none")


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _free_ports(count: int) -> list[int]:
    """Free ports, because the collector does not report the port that it gets for port 0."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
