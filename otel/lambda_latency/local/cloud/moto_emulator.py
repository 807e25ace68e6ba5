"""The emulator of AWS for the packaged example: moto's server in its own process, with the template's tables.

For X-Ray, it also receives OTLP.
"""

from __future__ import annotations

import argparse
import gc
import json
import signal
import threading

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from lambda_latency.http import Server
from lambda_latency.local.cloud.table_faults import TableFaults
from lambda_latency.local.faults import Plan
from lambda_latency.local.gateway.wsgi import WsgiHandler
from lambda_latency.local.services import say_ready
from lambda_latency.local.xray.intake import Intake, replace_segments


class Emulator(WsgiHandler):
    """moto, after the planned faults of DynamoDB calls."""

    faults: TableFaults

    def serve(self, body: bytes) -> None:
        if not self.faults.meet(self):
            super().serve(body)


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
    faults = TableFaults(Plan.from_json(options.faults), json.loads(options.routes))
    server = Server(type("Emulator", (Emulator,), {"app": xray, "faults": faults}))
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
