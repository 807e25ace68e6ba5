"""The command in a process of its own, as a person runs it, with nobody's own AWS configuration."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambda_latency.local.processes import Processes, Service, free_ports
from tests.fetch.standin import KNOWN, XRay

ROOT = Path(__file__).parents[3]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., XRay]


def environment(home: Path, **more: str) -> dict[str, str]:
    """The variables of a person who has no AWS configuration but what is named."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **plain,
        "HOME": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
        "PYTHONPATH": str(ROOT / "otel"),
        **more,
    }


def known_to(xray: XRay) -> dict[str, str]:
    """The variables of a person whom a fake X-Ray knows."""
    return {
        "AWS_ACCESS_KEY_ID": KNOWN,
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": xray.url,
    }


def measured(url: str, metric: str, at_s: int, value: float, samples: int = 1, **dimensions: str) -> None:
    """Let CloudWatch have so many samples of a metric, by its namespace and name, at this second."""
    make: Any = boto3.client
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    client = make("cloudwatch", endpoint_url=url, region_name="us-east-1", **keys)
    namespace, _, name = metric.rpartition("/")
    datum = {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
        "Timestamp": datetime.fromtimestamp(at_s, timezone.utc),
        "Value": value,
    }
    for sent in range(0, samples, 500):
        client.put_metric_data(Namespace=namespace, MetricData=[datum] * min(500, samples - sent))
    client.close()


def begun(folder: Path, xray: XRay, *arguments: str) -> subprocess.Popen[str]:
    """The command in a folder, while it runs, of a person whom the fake knows."""
    command = [sys.executable, "-m", "lambda_latency", *arguments]
    env = environment(folder, **known_to(xray))
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`lambda-latency` with some arguments, by default with keys and a region that the fake knows."""

    def start(*arguments: str, typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        defaults = {"AWS_ACCESS_KEY_ID": KNOWN, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
        command = [sys.executable, "-m", "lambda_latency", *arguments]
        env = {key: value for key, value in environment(tmp_path, **{**defaults, **variables}).items() if value}
        return subprocess.run(
            command, cwd=tmp_path, env=env, input=typed, capture_output=True, text=True, check=False, timeout=120
        )

    return start


@pytest.fixture
def start() -> Iterator[Start]:
    """Makes fakes of X-Ray, and ends them."""
    with ExitStack() as stack:
        yield lambda *arguments, **settings: stack.enter_context(closing(XRay(*arguments, **settings)))


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The address of moto's server: X-Ray and CloudWatch."""
    (port,) = free_ports(1)
    with Processes() as processes:
        service = Service("moto.server", ["-H", "127.0.0.1", "-p", str(port)], processes, lambda _: None)
        service.wait_until_listening(port, 60)
        yield f"http://127.0.0.1:{port}"
        service.stop()
