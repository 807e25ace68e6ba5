"""The emulator of AWS for the packaged example: moto's server in its own process, with the template's tables, the fault
plan, and an OTLP receiver for X-Ray.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import signal
import threading
import time

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from lambda_latency.http import Server, reset, wait_for_hangup
from lambda_latency.local.faults import Faults, Plan, Rule
from lambda_latency.local.gateway.wsgi import WsgiHandler
from lambda_latency.local.services import say_ready
from lambda_latency.local.xray.intake import Intake, replace_segments

__all__ = ["main"]

CREDENTIAL = re.compile(r"Credential=([^/]+)/")


class Emulator(WsgiHandler):
    """moto with faults in DynamoDB calls. The access key of a call, a function's name, selects its faults."""

    faults: Faults
    routes: dict[str, list[str]]

    def serve(self, body: bytes) -> None:
        fault = self._fault()
        if fault is None:
            super().serve(body)
        elif fault.kind == "delay":
            time.sleep(fault.ms / 1000)
            super().serve(body)
        elif fault.kind == "throttle":
            self._refuse(400, "ProvisionedThroughputExceededException", "The level of throughput was exceeded.")
        elif fault.kind == "status":
            self._refuse(fault.status, "InternalServerError", "The request could not be processed.")
        else:
            if fault.kind == "hang":
                wait_for_hangup(self.connection)
            reset(self.connection)
            self.close_connection = True

    def _fault(self) -> Rule | None:
        signed_by = CREDENTIAL.search(self.headers.get("Authorization", ""))
        function = signed_by.group(1) if signed_by else ""
        if function not in self.routes or not self.headers.get("X-Amz-Target", "").startswith("DynamoDB_"):
            return None
        return self.faults.next(tuple(self.routes[function]))

    def _refuse(self, status: int, kind: str, message: str) -> None:
        body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": message}).encode()
        self.answer(status, body, {"Content-Type": "application/x-amz-json-1.0"})


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", default="[]", help="the tables to create: a JSON list of CreateTable's arguments")
    parser.add_argument("--faults", default='{"rules": []}', help="a fault plan in JSON")
    parser.add_argument("--routes", default="{}", help="the routes of each function, as a JSON object")
    parser.add_argument("--indexed", default="[]", help="the attributes that become annotations, as a JSON list")
    options = parser.parse_args()
    replace_segments()
    xray = Intake(DomainDispatcherApplication(create_backend_app), json.loads(options.indexed))
    handler = {
        "app": xray,
        "faults": Plan.from_json(options.faults).at("table"),
        "routes": json.loads(options.routes),
    }
    server = Server(type("Emulator", (Emulator,), handler))
    xray.connect(f"http://127.0.0.1:{server.port}")
    client = boto3.client(
        "dynamodb",
        endpoint_url=f"http://127.0.0.1:{server.port}",
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - not a real key
    )
    for table in json.loads(options.tables):
        client.create_table(**table)
    gc.collect()
    gc.freeze()  # a full collection of moto's many models would delay answers by 100 ms
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    say_ready(server.port)
    stop.wait()


if __name__ == "__main__":
    main()
