"""Chooses and starts the collector between the functions and the laptop's receiver.

It runs collector.yaml with an `otlphttp` exporter in place of awsxray, which sends to X-Ray alone: a program (`make
collector`) by one changed block, AWS's image in Docker by the second file of compose.yaml.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lambda_latency.local.errors import LocalError, UsageError
from lambda_latency.local.processes import Processes, Service, free_ports
from lambda_latency.template import Diagnostic, read_collector

BUILT = Path("build/collector/otelcol")  # below the folder of the template
SOURCE = Path("requirements/collector.yaml")  # the builder's file, which only a checkout has
IMAGE = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
DOCKER_PORT = 4318
# The exporter that replaces awsxray. As awsxray, it neither queues nor retries, so a sender waits for the answer. Its
# timeout is longer than the second of collector.yaml, because a busy laptop is slower than X-Ray.
REPLACEMENT = (
    '{{endpoint: "{0}", compression: none, timeout: 30s, sending_queue: {{enabled: false}}, '
    "retry_on_failure: {{enabled: false}}}}"
)


@dataclass(frozen=True, slots=True)
class CollectorChoice:
    """The collector that receives the spans. `sentence` describes it to the user."""

    kind: Literal["none", "program", "docker"]
    sentence: str
    program: Path = BUILT


IN_DOCKER = CollectorChoice(
    "docker", "Collector: AWS's image in Docker (compose.yaml), with an OTLP exporter in place of awsxray."
)


def choose_collector(requested: str | None, root: Path) -> CollectorChoice:
    """Return the requested collector (docker, none, or the path of a program), else the one that is found below `root`.

    Raises `UsageError` for a program that cannot be run, and for docker if Docker is missing or not running.
    """
    if requested == "none":
        return CollectorChoice("none", "No collector (--collector none): spans went directly to the laptop's store.")
    if requested == "docker":
        _check_docker()
        return IN_DOCKER
    program = Path(requested) if requested is not None else root / BUILT
    if os.access(program, os.X_OK) and program.is_file():
        where = program.relative_to(root) if program.is_relative_to(root) else program
        return CollectorChoice("program", f"Collector: {where}, with an OTLP exporter in place of awsxray.", program)
    if requested is not None:
        raise UsageError(
            f"--collector {requested} is not an executable program",
            "use docker, none, or the path of a collector (make collector builds one)",
        )
    if _succeeds("docker", "image", "inspect", IMAGE):
        return IN_DOCKER
    how = "make collector builds one" if (root / SOURCE).exists() else "--collector names one"
    return CollectorChoice("none", f"No collector was found ({how}): spans went directly to the laptop's store.")


class RunningCollector:
    """A collector that receives OTLP/HTTP at `traces_url`, and sends to the laptop's receiver at `spans_url`, which has
    no path. Raises `LocalError` if the collector does not start.
    """

    def __init__(
        self,
        choice: CollectorChoice,
        root: Path,
        processes: Processes,
        *,
        spans_url: str,
        log: Callable[[str], None],
    ) -> None:
        self._down: list[str] = []
        if choice.kind == "docker":
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", DOCKER_PORT)) == 0:
                    raise LocalError(
                        f"port {DOCKER_PORT} of 127.0.0.1 is taken, and the collector of Docker listens there",
                        "stop the program that listens there (docker ps), or use --collector none",
                    )
            compose = ["docker", "compose", "--file", str(root / "compose.yaml")]
            self._down = [*compose, "down", "--timeout", "5"]
            viewer = ", otlp/viewer" if "viewer" in os.environ.get("COMPOSE_PROFILES", "").split(",") else ""
            variables = {
                "AWS_REGION": "us-east-1",
                "LAPTOP_ENDPOINT": spans_url,
                "EXPORTERS": f"[otlphttp/laptop{viewer}]",
            }
            up = ["up", "--no-color"]
            self._service = Service("docker compose", up, processes, log, command=compose, variables=variables)
            port, limit_s = DOCKER_PORT, 300.0  # an image of 60 MB may have to be downloaded first
        else:
            port, grpc = free_ports(2)
            config = processes.folder() / "collector.yaml"
            collector = read_collector(root / "collector.yaml")
            if isinstance(collector, Diagnostic):
                raise UsageError(str(collector), "correct the collector's file")
            replacement = REPLACEMENT.format(spans_url)
            config.write_text(collector.with_exporter("awsxray", "otlphttp/awsxray", replacement), encoding="utf-8")
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
