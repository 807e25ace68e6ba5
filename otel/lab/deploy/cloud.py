"""The emulator of AWS, and the SAM CLI talking to it and to nobody else."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import boto3

from lab.commands import ROOT, make
from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import Processes, Service, free_ports

READY = ROOT / "build" / "ministack" / "ready"
PROGRAM = (ROOT / "build" / "ministack" / "bin" / "python", Path(__file__).with_name("emulator.py"))
REGION = "us-east-1"


class Cloud:
    """Started when made, on a free port of 127.0.0.1; `close` ends it, and everything in it is gone."""

    def __init__(self, processes: Processes, log: Callable[[str], None]) -> None:
        make(READY)
        (self._port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self._port}"
        urls = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self._port), "AWS_ENDPOINT_URL": self.url}
        self._variables = {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        temporary = {"TMPDIR": str(processes.folder())}  # where it unpacks functions
        self._service = Service(
            "ministack", [], processes, log, command=[*map(str, PROGRAM)], variables=self._variables | urls | temporary
        )
        self._service.wait_until_listening(self._port, 60)
        self._session = boto3.Session("local", "local", region_name=REGION)
        self._cloudformation = self._session.client("cloudformation", endpoint_url=self.url)
        self._dynamodb = self._session.client("dynamodb", endpoint_url=self.url)
        self._lambda = self.client("lambda")

    def close(self) -> None:
        """End it."""
        self._service.stop()

    def client(self, service: str) -> Any:
        """boto3's client."""
        make: Any = self._session.client  # the type information of most services is not installed
        return make(service, endpoint_url=self.url)

    def sam(self, *arguments: str) -> None:
        """Run the SAM CLI. Raises `LocalError` with its last words where it fails."""
        self._run([str(Path(sys.executable).with_name("sam")), *arguments])

    def lambda_latency(self, *arguments: str, statuses: Container[int] = (0,)) -> str:
        """Run the kit's command, and return what it prints. Raises `LocalError` at another status."""
        return self._run([sys.executable, "-m", "lambda_latency", *arguments], statuses)

    def _run(self, command: Sequence[str], statuses: Container[int] = (0,)) -> str:
        """Run a command with the emulator's address and credentials; return its output."""
        settings = {
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.5",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        ran = subprocess.run(
            command,
            cwd=ROOT,
            env={**inherited, **self._variables, **settings},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,  # a question would be an error
            timeout=300,
        )
        if ran.returncode not in statuses:
            said = "\n  ".join((ran.stdout + ran.stderr).strip().splitlines()[-15:])
            raise LocalError(f"{shlex.join(command)} ended with {ran.returncode}", said)
        return ran.stdout

    def deploy(self, stack: str, template: Path, *parameters: str) -> None:
        """Deploy a translated template; `parameters` are as NAME=VALUE."""
        overrides = ["--parameter-overrides", *parameters] if parameters else []
        self.sam("deploy", "--template", str(template), "--stack-name", stack, "--resolve-s3",
                 "--no-fail-on-empty-changeset", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND",
                 *overrides)  # fmt: skip

    def delete(self, stack: str) -> None:
        """Delete a stack. `sam delete` cannot: it knows the template of a stack within by S3's own address only."""
        self._cloudformation.delete_stack(StackName=stack)
        waiter = self._cloudformation.get_waiter("stack_delete_complete")
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 120})

    def halve_memory(self, stack: str, logical: str) -> None:
        """Change a function behind the stack's back."""
        function = self._cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical)
        name = function["StackResourceDetail"]["PhysicalResourceId"]
        memory = self._lambda.get_function_configuration(FunctionName=name)["MemorySize"]
        self._lambda.update_function_configuration(FunctionName=name, MemorySize=memory // 2)

    def doctor(self, stack: str, parameter: str) -> set[str]:
        """What `doctor --account` finds about a stack of the template with a parameter."""
        options = ["--stack", stack, "--parameter", parameter, "--region", REGION, "--format", "json"]
        # 3: it has findings, 4: the emulator refused a call
        printed = self.lambda_latency("doctor", *options, statuses=(0, 3, 4))
        return {finding["what"] for finding in json.loads(printed)["findings"]}

    def outputs(self, stack: str) -> Mapping[str, str]:
        """What the stack gives."""
        (described,) = self._cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    def resources(self, stack: str) -> list[str]:
        """The types that a stack is made of, one for each resource, with those of the stacks within it."""
        return sorted(kind for _, kind, _ in self.made(stack))

    def made(self, stack: str) -> Iterator[tuple[str, str, str]]:
        """Logical id, type and physical id of each resource of a stack and of the stacks within it."""
        for resource in self._cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]:
            yield resource["LogicalResourceId"], resource["ResourceType"], resource["PhysicalResourceId"]
            if resource["ResourceType"] == "AWS::CloudFormation::Stack":
                yield from self.made(resource["PhysicalResourceId"])

    def stacks(self) -> list[str]:
        """The stacks that exist."""
        return [stack["StackName"] for stack in self._cloudformation.describe_stacks()["Stacks"]]

    def tables(self) -> list[str]:
        """The tables that exist."""
        return self._dynamodb.list_tables()["TableNames"]

    def call(
        self, api_url: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """A request to an API that is deployed here, under its own address (the output ApiUrl)."""
        address = urlsplit(api_url)
        host = f"{(address.hostname or '').split('.')[0]}.execute-api.localhost:{self._port}"
        request = Request(
            f"{self.url}{address.path}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Host": host, "Content-Type": "application/json", **(headers or {})},
        )
        try:
            with urlopen(request, timeout=60) as response:
                return response.status, json.load(response)
        except HTTPError as error:
            return error.code, json.loads(error.read() or b"null")
