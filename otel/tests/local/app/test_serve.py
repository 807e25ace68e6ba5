"""`lambda-latency serve` and `invoke` in the folder of an app, as a person runs them."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.apps import HOME, VERSION
from lambda_latency.cli.laptop import read
from tests.local.app.conftest import needs_packages
from tests.local.conftest import ROOT
from tests.sandbox.state import until
from tests.system.processes import Footprint, own_temporary
from tests.system.test_serve import Served

pytestmark = needs_packages

TEMPLATE = f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python{VERSION[0]}.{VERSION[1]}
      Handler: index.handler
      InlineCode: |
        import json
        def handler(event, context):
            if event.get("fail"):
                raise ValueError("no")
            print("called with", sorted(event)[:1])
            return {{"statusCode": 200, "body": json.dumps("hello")}}
      Events:
        Get: {{ Type: Api, Properties: {{ Path: /hello, Method: get }} }}
        Messages: {{ Type: SQS, Properties: {{ Queue: !GetAtt Queue.Arn }} }}
  Queue: {{ Type: AWS::SQS::Queue, Properties: {{ QueueName: greetings }} }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app, in the current folder of whoever serves it."""
    (tmp_path / "my app" / "events").mkdir(parents=True)
    (tmp_path / "my app" / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "my app" / "events" / "fail it.json").write_text('{"fail": true}')
    return tmp_path / "my app"


@pytest.fixture
def serve(folder: Path, tmp_path: Path) -> Iterator[Callable[[], Served]]:
    """Starts the command there; what a test leaves is ended after it."""
    started: list[Served] = []

    def start() -> Served:
        env = {**own_temporary(tmp_path / f"temporary-{len(started)}"), "XDG_CACHE_HOME": str(HOME)}
        env = {name: value for name, value in env.items() if not name.startswith("AWS_")} | {"HOME": str(tmp_path)}
        started.append(Served([], folder, env))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.end(signal.SIGKILL)


def lambda_latency(folder: Path, *arguments: str) -> tuple[int, str, list[str]]:
    """Runs another command there: its status, what it prints, and the lines of stderr."""
    command = [sys.executable, "-m", "lambda_latency", *arguments]
    env = {**os.environ, "XDG_CACHE_HOME": str(HOME)}
    ended = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=120)
    return ended.returncode, ended.stdout, ended.stderr.splitlines()


def test_an_app_is_served_with_a_command_for_each_trigger(serve: Callable[[], Served], folder: Path) -> None:
    """Requests and events are printed as they end; Ctrl-C ends it with 130, and nothing is left."""
    served = serve()
    served.wait_for(r"  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local$")  # the AWS CLI has none here
    assert served.wait_for(r"curl -s (\S+)$").group(1) == f"{served.url}/hello"
    command = served.wait_for(r"aws --endpoint-url (\S+) --region us-east-1 sqs send-message --queue-url (\S+) ")
    invoke = served.wait_for(r"lambda-latency (invoke Greet 'events/fail it\.json')$").group(1)
    report = served.wait_for(r"lambda-latency (report out/served\.jsonl)$").group(1)
    assert served.call("GET", "/hello") == (200, "hello")
    served.wait_for(r"^GET /hello +200 +[\d,]+\.\d ms  \w")
    status, answer, _ = lambda_latency(folder, *shlex.split(invoke))
    said = json.loads(answer)["errorMessage"]
    assert (status, said, lambda_latency(folder, *shlex.split(report))[0]) == (1, "no", 0)

    from lambda_latency.local.cloud.clients import clients

    clients(command.group(1))("sqs").send_message(QueueUrl=command.group(2), MessageBody="{}")
    served.wait_for(r"^SQS -> Greet +ok +[\d,]+\.\d ms  \w")
    assert lambda_latency(folder, "invoke", "Greet")[:2] == (0, '{"statusCode": 200, "body": "\\"hello\\""}\n')
    served.wait_for(r"^invoke -> Greet +ok ")
    assert lambda_latency(folder, "invoke", "Gret") == (
        1,
        "",
        ["lambda-latency: no function 'Gret' is served", "  name one that `lambda-latency serve` has listed"],
    )
    footprint = Footprint(served.process.pid)
    assert len(footprint.pids) > 3
    assert served.end(signal.SIGINT) == 130
    assert footprint.left() == {"processes": [], "ports": [], "folders": []}
    assert not (folder / "out" / "serve.json").exists()


@pytest.mark.parametrize(("ending", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)], ids=["int", "kill"])
def test_a_build_in_progress_ends_with_the_command(
    folder: Path, tmp_path: Path, ending: signal.Signals, status: int
) -> None:
    """At once, and without the builds that were still to come."""
    for name in ("First", "Second", "Third", "Fourth", "Fifth"):
        (folder / name).mkdir()
        (folder / name / "Makefile").write_text(f"build-{name}:\n\techo $$PPID >> '{folder}/building'; sleep 1000\n")
    (folder / "template.yaml").write_text(
        f"""\
Transform: AWS::Serverless-2016-10-31
Globals: {{ Function: {{ Runtime: python{VERSION[0]}.{VERSION[1]}, Handler: app.handler }} }}
Resources:
"""
        + "".join(
            f"  {name}:\n    Type: AWS::Serverless::Function\n    Metadata: {{ BuildMethod: makefile }}\n"
            f"    Properties: {{ CodeUri: {name} }}\n"
            for name in ("First", "Second", "Third", "Fourth", "Fifth")
        )
    )
    env = {**own_temporary(tmp_path / "temporary"), "XDG_CACHE_HOME": str(HOME)}
    command = [sys.executable, "-m", "lambda_latency", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert until((folder / "building").exists, 120)
            footprint = Footprint(process.pid)
            process.send_signal(ending)
            assert process.wait(60) == status
        finally:
            process.kill()
    assert footprint.left() == {"processes": [], "ports": [], "folders": []}
    assert len((folder / "building").read_text().split()) == 1


def test_a_function_is_invoked_without_a_running_app(folder: Path) -> None:
    """The app is up for this one event; a function that fails gives status 1, and its error."""
    status, printed, said = lambda_latency(folder, "invoke", "Greet", "events/fail it.json")
    error = json.loads(printed)
    assert (status, error["errorType"], error["errorMessage"]) == (1, "ValueError", "no")
    assert any(line.startswith("Greet: ") and "ValueError" in line for line in said)


def test_a_function_that_is_not_there_is_told_with_the_nearest(folder: Path) -> None:
    """Before anything is started."""
    assert lambda_latency(folder, "invoke", "Gret") == (
        2,
        "",
        ["lambda-latency: template.yaml has no function 'Gret'", "  did you mean 'Greet'?"],
    )


def test_an_event_that_is_no_json_is_told(folder: Path) -> None:
    """Status 2."""
    (folder / "broken.json").write_text("{")
    status, printed, said = lambda_latency(folder, "invoke", "Greet", "broken.json")
    assert (status, printed, said[0].startswith("lambda-latency: broken.json is not JSON: ")) == (2, "", True)


def test_a_broken_template_is_told_by_the_command(folder: Path) -> None:
    """Status 1, on stderr, and nothing is started."""
    template = folder / "template.yaml"
    template.write_text(TEMPLATE.replace("GetAtt Queue.Arn", "GetAtt Quueue.Arn"))
    assert lambda_latency(folder, "serve", "--port", "0") == (
        1,
        "",
        [
            "lambda-latency: template.yaml:17: GetAtt names 'Quueue', which is not in the template",
            "  did you mean 'Queue'?",
        ],
    )


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (
            ("--faults", "plan.json"),
            'the fault plan\'s rule 1 is "at" the provider, and template.yaml has no fake of one',
        ),
        (("--built",), ".aws-sam/build/template.yaml is not there"),
    ],
)
def test_an_option_that_cannot_work_for_an_app_is_told(folder: Path, option: tuple[str, ...], said: str) -> None:
    """Status 2."""
    (folder / "plan.json").write_text('{"rules": [{"at": "provider", "kind": "hang"}]}')
    status, _, lines = lambda_latency(folder, "serve", "--port", "0", *option)
    assert (status, lines[0]) == (2, f"lambda-latency: {said}")


def test_a_setting_without_effect_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parameter of the example decides how its functions are traced."""
    monkeypatch.setenv("LAMBDA_LATENCY_INSTRUMENT", "layer")
    options: Any = SimpleNamespace(parameter=[])
    [said] = read(ROOT / "template.yaml", options).notes
    names = "CreateOrder, GetOrder, ListOrders, CancelOrder"
    assert said == f"instrument = layer has no effect: {names} start OpenTelemetry by the template, see its parameters"
