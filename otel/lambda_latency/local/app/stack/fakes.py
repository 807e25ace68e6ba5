"""Fakes for the packaged example: moto's DynamoDB with the template's table, a payments API, a collector.

Its functions run in the environment of the command: nothing is downloaded, and the demo starts in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lambda_latency.local.app.prepare.make import read_only
from lambda_latency.local.app.read.app import LocalApp
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.faults import FaultPlan
from lambda_latency.local.gateway.sam import COLLECTOR, SamTemplate, read_template
from lambda_latency.local.processes import Processes, Service
from lambda_latency.local.sandbox.function import Function
from lambda_latency.local.xray.collector import CollectorChoice, RunningCollector

PROVIDER_HOST = "payments.example.com"  # resolves to the laptop's own provider, without DNS
EMULATOR = "lambda_latency.local.cloud.moto_emulator"


class Fakes:
    """The processes around the example's functions, which the constructor starts in parallel.

    `spans` is the address to which the provider and the functions send spans; `log` receives the source and the text of
    each line, `closing` the functions that stop the parts.
    """

    def __init__(
        self,
        app: LocalApp,
        plan: FaultPlan,
        routes: Mapping[str, Sequence[str]],
        processes: Processes,
        spans: str,
        *,
        log: Callable[[str, str], None],
        closing: list[Callable[[], object]],
    ) -> None:
        self._app, self._folder, self._closing, self._spans = app, processes.folder(), closing, spans
        self.refused: dict[str, Refused] = {}
        self.template: SamTemplate = read_template(app.path, app.parameters)
        self.traced = self.template.traced
        self.sent = "collector" if self.template.collected else "endpoint" if self.template.direct else "daemon"
        self._functions = {function.name: function for function in self.template.functions}

        def started(module: str, name: str, *arguments: str) -> Service:
            service = Service(module, arguments, processes, lambda line: log(name, line))
            closing.append(service.stop)
            return service

        faults = ("--faults", plan.to_json())
        self._provider = started("lambda_latency.local.provider", "payments", "--spans", spans, *faults)
        tables = json.dumps(self.template.tables)
        aws = started(EMULATOR, "aws", "--tables", tables, "--routes", json.dumps(routes), *faults)
        self.url = f"http://127.0.0.1:{aws.wait_until_ready()}"
        self._provider_port = self._provider.wait_until_ready()
        self.provider_url = f"http://127.0.0.1:{self._provider_port}"
        # The functions call the table itself: this process, which calls them, would answer late under a load.
        local_hosts = f"{PROVIDER_HOST}=127.0.0.1"
        self.variables: dict[str, str] = {"AWS_ENDPOINT_URL": self.url, "LAMBDA_LATENCY_LOCAL_HOSTS": local_hosts}

    def collect(
        self, choice: CollectorChoice, processes: Processes, receiver: str, log: Callable[[str, str], None]
    ) -> None:
        """Start the collector between the functions and the laptop's receiver at the URL `receiver`, without a path."""
        if not self.template.collected or choice.kind == "none":
            return
        collector = RunningCollector(
            choice, self._app.root, processes, spans_url=receiver, log=lambda line: log("collector", line)
        )
        self._closing.append(collector.stop)
        self._spans = collector.traces_url

    def create(self, relay: str) -> None:
        """The emulator has the table already, and no events."""

    def function(self, key: str) -> Function | None:
        """Return a function with the local addresses; None for one that answers no request, such as the alarms'."""
        function, declared = self._functions.get(key), self._app.functions.get(key)
        if function is None or not isinstance(declared, Declared):
            return None
        variables = {**function.environment}
        if "PAYMENTS_URL" in variables:
            variables["PAYMENTS_URL"] = f"http://{PROVIDER_HOST}:{self._provider_port}"
        if COLLECTOR in variables or self.template.direct:
            variables[COLLECTOR] = self._spans
        function = replace(function, environment=variables)
        if declared.code is None or not declared.code.is_built:
            return function
        code, *layers = (read_only(built.path, self._folder) for built in (declared.code, *declared.layers))
        return replace(function, code=code, layers=tuple(layers), read_only=True)

    def forget(self) -> None:
        """Nothing is prepared: new environments run changed code."""

    def finish(self) -> None:
        """Stop the provider, which sends its last spans first."""
        self._provider.stop()
