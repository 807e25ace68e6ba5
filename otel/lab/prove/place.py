"""Where the template is proved: an AWS account, or the emulator of AWS on this machine."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from botocore.config import Config
from botocore.exceptions import ClientError
from samcli.yamlhelper import yaml_dump, yaml_parse

from lab.commands import ROOT
from lab.deploy.artifacts import with_artifacts
from lab.deploy.cloud import Cloud
from lab.deploy.translation import translate
from lab.destination import Destination
from lab.prove.leavings import TAG, listed, remove
from lambda_latency.adopt import AdoptOptions, edited_template
from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import Processes

BUILD = ROOT / "build" / "prove"
RETRIES = Config(retries={"mode": "adaptive", "total_max_attempts": 10})


class Answer(NamedTuple):
    """What a client sees of a request; the trace's id as X-Ray writes it, empty where no header has it.

    `sampled`: whether the answer's header says that the request is traced; None if it says nothing.
    """

    status: int
    trace_id: str
    begun_s: float
    sampled: bool | None = None


class Account:
    """An account of AWS, by boto3 and the SAM CLI."""

    is_emulator = False

    def __init__(self, stack: str, destination: Destination, boundary: str = "") -> None:
        self.stack, self.region, self._boundary = stack, destination.region, boundary
        self._session: Any = destination.session()
        self._variables = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        if destination.profile:
            self._variables["AWS_PROFILE"] = destination.profile
        self._left: list[str] | None = None

    def client(self, service: str, region: str = "") -> Any:
        """boto3's client, which waits and tries again where AWS throttles."""
        return self._session.client(service, region_name=region or self.region, config=RETRIES)

    def build(self) -> None:
        """Build the template."""
        self._sam("build", "--build-dir", str(BUILD))

    def packaged(self) -> str:
        """The template as CloudFormation gets it."""
        made = BUILD / "packaged.yaml"
        self._sam("package", "--template", str(BUILD / "template.yaml"), "--resolve-s3", "--region", self.region,
                  "--output-template-file", str(made))  # fmt: skip
        return made.read_text()

    def deploy(self, parameters: Mapping[str, str], export: str = "collector") -> None:
        """Deploy the stack, or deploy it again: the template as `adopt --export EXPORT` writes it."""
        written = yaml_parse(edited_template(ROOT / "template.yaml", AdoptOptions(export)))
        template = with_artifacts(written, BUILD / "template.yaml", f"{export}.yaml")
        self._deploy(self.stack, template, parameters)

    def deploy_app(self, folder: Path, stack: str) -> None:
        """Build and deploy another app to a stack of its own, with the same tag."""
        built = folder / "built"
        self._sam("build", "--template", str(folder / "template.yaml"), "--build-dir", str(built))
        self._deploy(stack, built / "template.yaml", {})

    def deploy_part(self, folder: Path, stack: str, parameters: Mapping[str, str]) -> None:
        """Deploy a template that needs no build to a stack of its own, with the same tag."""
        self._deploy(stack, folder / "template.yaml", parameters)

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request to the stack's API, which says that it is sampled."""
        described = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        url = next(output["OutputValue"] for output in described["Outputs"] if output["OutputKey"] == "ApiUrl")
        data = None if body is None else json.dumps(body).encode()
        start_s = time.time()
        root = f"1-{int(start_s):08x}-{secrets.token_hex(12)}"
        trace = f"Root={root};Parent={secrets.token_hex(8)};Sampled=1"
        sent = {"Content-Type": "application/json", "X-Amzn-Trace-Id": trace, **(headers or {})}
        status, answered = _send(Request(f"{url}{path}", data, sent, method=method))
        parts = dict(output.split("=", 1) for output in answered.get("x-amzn-trace-id", "").split(";") if "=" in output)
        sampled = {"0": False, "1": True}.get(parts.get("Sampled", ""))
        return Answer(status, parts.get("Root", ""), start_s, sampled)

    def run(self, arguments: Sequence[str]) -> tuple[int, str]:
        """Return status and output of a `lambda-latency` command in the account and region."""
        return self._runs([sys.executable, "-m", "lambda_latency", *arguments])

    def delete(self, say: Callable[[str], None]) -> None:
        """Delete all that has the stack's tag."""
        self._left = ["not known, for the deletion was stopped"]
        self._left = remove(self.client, self.stack, say)

    def left(self) -> list[str]:
        """Return what is left, after `delete` with the reason."""
        return listed(self.client, self.stack) if self._left is None else list(self._left)

    def _deploy(self, stack: str, template: Path, parameters: Mapping[str, str]) -> None:
        if self._boundary:
            template = bounded(template, self._boundary)
        overrides = [f"{name}={value}" for name, value in parameters.items()]
        try:
            self._sam("deploy", "--template", str(template), "--stack-name", stack, "--resolve-s3",
                      "--region", self.region, "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND",
                      "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--tags", f"{TAG}={self.stack}",
                      *(["--parameter-overrides", *overrides] if overrides else []))  # fmt: skip
        except LocalError as error:
            reason = self._reason(stack)
            raise LocalError(f"{error.message}{f': {reason}' if reason else ''}", error.todo) from error

    def _reason(self, stack: str) -> str:
        """Why a stack was not made: the first resource that failed; empty if CloudFormation does not tell."""
        try:
            events = self.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        except ClientError:
            return ""
        failed = [event for event in events if str(event.get("ResourceStatus", "")).endswith("_FAILED")]
        reasons = [event for event in failed if "cancelled" not in str(event.get("ResourceStatusReason", "")).lower()]
        cause = min(reasons, key=lambda event: event["Timestamp"], default=None)
        return "" if cause is None else f"{cause.get('LogicalResourceId')}: {cause.get('ResourceStatusReason', '?')}"

    def _sam(self, *arguments: str) -> None:
        status, said = self._runs([str(Path(sys.executable).with_name("sam")), *arguments])
        if status:
            raise LocalError(f"sam {arguments[0]} failed", "\n  ".join(said.strip().splitlines()[-15:]))

    def _runs(self, command: Sequence[str]) -> tuple[int, str]:
        ran = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **self._variables},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for this program, which deletes the stack then
        )
        return ran.returncode, ran.stdout + ran.stderr


def bounded(template: Path, boundary: str) -> Path:
    """Write a template whose roles have a permissions boundary beside the template; returns its path."""
    parsed = yaml_parse(template.read_text("utf-8"))
    for resource in parsed["Resources"].values():
        properties = resource.setdefault("Properties", {})
        is_role = resource["Type"] == "AWS::IAM::Role"
        if is_role or (resource["Type"] == "AWS::Serverless::Function" and "Role" not in properties):
            properties["PermissionsBoundary"] = boundary
    path = template.with_name(f"bounded-{template.name}")
    path.write_text(yaml_dump(parsed), "utf-8")
    return path


def _send(request: Request) -> tuple[int, Mapping[str, str]]:
    try:
        with urlopen(request, timeout=60) as response:
            return response.status, _lower(response.headers)
    except HTTPError as error:
        return error.code, _lower(error.headers)
    except URLError as error:
        raise LocalError(f"{request.full_url} does not answer: {error.reason}", "look at the stack") from error


def _lower(headers: Message) -> Mapping[str, str]:
    """Headers by their names in lower case: API Gateway writes them in capitals over HTTP/1.1 only."""
    return {name.lower(): value for name, value in headers.items()}


class EmulatorPlace:
    """The emulator of `python -m lab deploy`: CloudFormation, API Gateway, Lambda and DynamoDB, and no X-Ray."""

    is_emulator = True
    region = "us-east-1"

    def __init__(self, stack: str, processes: Processes, log: Callable[[str], None]) -> None:
        self.stack = stack
        self._cloud = Cloud(processes, log)

    def close(self) -> None:
        """End it."""
        self._cloud.close()

    def build(self) -> None:
        self._cloud.sam("build", "--build-dir", str(BUILD))
        translate(BUILD / "template.yaml", "http://127.0.0.1:9/v1/traces")

    def deploy(self, parameters: Mapping[str, str]) -> None:
        assignments = [f"{name}={value}" for name, value in parameters.items()]
        self._cloud.deploy(self.stack, BUILD / "local.yaml", *assignments)

    def call(self, method: str, path: str, body: object = None) -> Answer:
        start_s = time.time()
        status, _ = self._cloud.call(self._cloud.outputs(self.stack)["ApiUrl"], method, path, body)
        return Answer(status, "", start_s)

    def delete(self, say: Callable[[str], None]) -> None:
        say(f"deleting {self.stack}")
        self._cloud.delete(self.stack)
        for table in self._cloud.tables():
            self._cloud.client("dynamodb").delete_table(TableName=table)

    def left(self) -> list[str]:
        return [name for name in self._cloud.stacks() if name == self.stack] + self._cloud.tables()


Place: TypeAlias = Account | EmulatorPlace
