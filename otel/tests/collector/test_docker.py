"""The Docker way, with a program called docker that does as told: what is asked of it needs no daemon and no image."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.local.errors import LocalError, UsageError
from lambda_latency.local.processes import Processes
from lambda_latency.local.spans import collector
from lambda_latency.local.spans.collector import IMAGE, CollectorChoice, RunningCollector, choose_collector
from tests.collector.conftest import ROOT
from tests.programs import python_program

DOCKER = python_program("""\
import json, os, signal, socket, sys
from pathlib import Path
words, here = sys.argv[1:], Path(__file__).parent
names = ("AWS_REGION", "LAPTOP_ENDPOINT", "EXPORTERS")
with (here / "calls").open("a") as calls:
    calls.write(json.dumps([words, {name: os.environ[name] for name in names if name in os.environ}]) + "\\n")
if "up" in words:
    server = socket.create_server(("127.0.0.1", int((here / "port").read_text())))
    signal.pause()
sys.exit((here / "refuses").exists() and words[0] in (here / "refuses").read_text().split())
""")


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of that program, with a free port in place of 4318."""
    program = tmp_path / "docker"
    program.write_text(DOCKER, encoding="utf-8")
    program.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    (tmp_path / "port").write_text(str(port), encoding="utf-8")
    monkeypatch.setattr(collector, "DOCKER_PORT", port)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for name in ("AWS_REGION", "LAPTOP_ENDPOINT", "EXPORTERS", "COMPOSE_PROFILES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def calls(docker: Path) -> list[Any]:
    """What docker was asked, with the variables that it found."""
    return [json.loads(line) for line in (docker / "calls").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("profiles", "exporters"),
    [("", "[otlphttp/laptop]"), ("viewer", "[otlphttp/laptop, otlp/viewer]")],
)
def test_compose_is_started_with_the_laptops_address_and_taken_down(
    docker: Path, monkeypatch: pytest.MonkeyPatch, profiles: str, exporters: str
) -> None:
    """It sends to the laptop's receiver, and to the viewer where its profile is on."""
    monkeypatch.setenv("COMPOSE_PROFILES", profiles)
    port = int((docker / "port").read_text(encoding="utf-8"))
    with Processes() as processes:
        running = RunningCollector(
            CollectorChoice("docker", ""),
            ROOT,
            processes,
            spans_url="http://127.0.0.1:1",
            log=lambda _: None,
        )
        running.stop()

    file = str(ROOT / "compose.yaml")
    found = {
        "AWS_REGION": "us-east-1",
        "LAPTOP_ENDPOINT": "http://127.0.0.1:1",
        "EXPORTERS": exporters,
    }
    assert running.traces_url == f"http://127.0.0.1:{port}/v1/traces"
    assert calls(docker) == [
        [["compose", "--file", file, "up", "--no-color"], found],
        [["compose", "--file", file, "down", "--timeout", "5"], {}],
    ]


def test_a_port_that_is_taken_is_no_collector(docker: Path) -> None:
    """Whoever listens there is not the one that was asked for."""
    port = int((docker / "port").read_text(encoding="utf-8"))
    with socket.create_server(("127.0.0.1", port)), Processes() as processes, pytest.raises(LocalError) as error:
        RunningCollector(CollectorChoice("docker", ""), ROOT, processes, spans_url="", log=lambda _: None)

    assert str(error.value).startswith(f"port {port} of 127.0.0.1 is taken")
    assert not (docker / "calls").exists()


def test_an_image_that_is_there_is_taken(docker: Path, tmp_path: Path) -> None:
    """Where nothing was built and nothing was said; an image that would have to be fetched first is not."""
    found = choose_collector(None, tmp_path / "nothing-built")
    (docker / "refuses").write_text("image", encoding="utf-8")

    assert found.kind == "docker"
    assert choose_collector(None, tmp_path / "nothing-built").kind == "none"
    assert calls(docker) == [[["image", "inspect", IMAGE], {}]] * 2
    assert f"image: {IMAGE}" in (ROOT / "compose.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("refuses", "message"), [("compose", "docker has no compose"), ("info", "the Docker daemon does not answer")]
)
def test_docker_that_cannot_is_a_mistake_with_a_remedy(docker: Path, refuses: str, message: str) -> None:
    """Said before anything is started."""
    (docker / "refuses").write_text(refuses, encoding="utf-8")

    with pytest.raises(UsageError, match=message):
        choose_collector("docker", ROOT)
