"""Where the template is proved: an AWS account, or the emulator of AWS on this machine."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import boto3
from botocore.exceptions import ClientError

from lab.commands import ROOT
from lab.deploy.cloud import Cloud
from lab.deploy.translation import translate
from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import Processes

__all__ = ["Account", "Answer", "Emulator", "Place"]

BUILD = ROOT / "build" / "prove"


class Answer(NamedTuple):
    """What a client sees of a request; the trace's id as X-Ray writes it, empty where no header has it."""

    status: int
    trace_id: str
    begun_s: float
    ended_s: float


class Place(Protocol):
    """An account or what stands for one, with one stack of ours."""

    stack: str
    region: str
    is_emulator: bool

    def client(self, service: str, region: str = "") -> Any:
        """boto3's client."""

    def build(self) -> None:
        """Build the template."""

    def packaged(self) -> str:
        """The template as CloudFormation gets it."""

    def deploy(self, parameters: Mapping[str, str]) -> None:
        """Deploy the stack, or deploy it again."""

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """A request to the stack's API."""

    def delete(self) -> None:
        """Delete the stack and the table that outlives it."""

    def left(self) -> list[str]:
        """What is left of the stack: nothing, after `delete`."""


class Account:
    """The account of the environment's credentials, or of AWS_PROFILE."""

    is_emulator = False

    def __init__(self, stack: str) -> None:
        self.stack = stack
        self._session = boto3.Session()
        self.region = self._session.region_name or "us-east-1"
        self._tables: list[str] = []

    def client(self, service: str, region: str = "") -> Any:
        make: Any = self._session.client
        return make(service, region_name=region or self.region)

    def build(self) -> None:
        self._sam("build", "--build-dir", str(BUILD))

    def packaged(self) -> str:
        made = BUILD / "packaged.yaml"
        self._sam("package", "--template", str(BUILD / "template.yaml"), "--resolve-s3", "--region", self.region,
                  "--output-template-file", str(made))  # fmt: skip
        return made.read_text()

    def deploy(self, parameters: Mapping[str, str]) -> None:
        given = [f"{name}={value}" for name, value in parameters.items()]
        self._sam("deploy", "--template", str(BUILD / "template.yaml"), "--stack-name", self.stack, "--resolve-s3",
                  "--region", self.region, "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND",
                  "--no-confirm-changeset", "--no-fail-on-empty-changeset",
                  "--parameter-overrides", *given)  # fmt: skip

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        described = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        url = next(one["OutputValue"] for one in described["Outputs"] if one["OutputKey"] == "ApiUrl")
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{url}{path}", data, {"Content-Type": "application/json", **(headers or {})}, method=method)
        begun = time.time()
        try:
            with urlopen(request, timeout=60) as response:
                status, told = response.status, response.headers
        except HTTPError as error:
            status, told = error.code, error.headers
        except URLError as error:
            raise LocalError(f"{url} does not answer: {error.reason}", "look at the stack") from error
        root = str(told.get("X-Amzn-Trace-Id", "")).partition("Root=")[2].partition(";")[0]
        return Answer(status, root, begun, time.time())

    def delete(self) -> None:
        with contextlib.suppress(ClientError):  # a stack that was never made has no table
            self._tables = self._of_type("AWS::DynamoDB::Table")
        self._sam("delete", "--stack-name", self.stack, "--no-prompts", "--region", self.region)
        for table in self._tables:  # the template retains it
            self.client("dynamodb").delete_table(TableName=table)

    def left(self) -> list[str]:
        listed = self.client("cloudformation").describe_stacks()["Stacks"]
        tables = self.client("dynamodb").list_tables()["TableNames"]
        return [one["StackName"] for one in listed if one["StackName"] == self.stack] + [
            table for table in self._tables if table in tables
        ]

    def _of_type(self, kind: str) -> list[str]:
        told = self.client("cloudformation").describe_stack_resources(StackName=self.stack)["StackResources"]
        return [one["PhysicalResourceId"] for one in told if one["ResourceType"] == kind]

    def _sam(self, *arguments: str) -> None:
        ran = subprocess.run(
            [str(Path(sys.executable).with_name("sam")), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for this program, which deletes the stack then
        )
        if ran.returncode:
            raise LocalError(f"sam {arguments[0]} failed", "\n  ".join((ran.stdout + ran.stderr).splitlines()[-15:]))


class Emulator:
    """The emulator of `python -m lab deploy`: CloudFormation, API Gateway, Lambda and DynamoDB, and no X-Ray."""

    is_emulator = True
    region = "us-east-1"

    def __init__(self, stack: str, processes: Processes, log: Callable[[str], None]) -> None:
        self.stack = stack
        self._cloud = Cloud(processes, log)

    def close(self) -> None:
        """End it."""
        self._cloud.close()

    def client(self, service: str, region: str = "") -> Any:
        make: Any = boto3.Session("local", "local", region_name=region or self.region).client
        return make(service, endpoint_url=self._cloud.url)

    def build(self) -> None:
        self._cloud.sam("build", "--build-dir", str(BUILD))
        translate(BUILD / "template.yaml", "http://127.0.0.1:9/v1/traces")

    def packaged(self) -> str:
        return (BUILD / "local.yaml").read_text()

    def deploy(self, parameters: Mapping[str, str]) -> None:
        given = [f"{name}={value}" for name, value in parameters.items()]
        self._cloud.sam("deploy", "--template", str(BUILD / "local.yaml"), "--stack-name", self.stack, "--resolve-s3",
                        "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-fail-on-empty-changeset",
                        "--parameter-overrides", *given)  # fmt: skip

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        begun = time.time()
        status, _ = self._cloud.call(self._cloud.outputs(self.stack)["ApiUrl"], method, path, body)
        return Answer(status, (headers or {}).get("X-Amzn-Trace-Id", ""), begun, time.time())

    def delete(self) -> None:
        self._cloud.delete(self.stack)
        for table in self._cloud.tables():
            self.client("dynamodb").delete_table(TableName=table)

    def left(self) -> list[str]:
        return [name for name in self._cloud.stacks() if name == self.stack] + self._cloud.tables()
