"""The emulator of AWS for the packaged example: moto's server in its own process, with the template's tables."""

from __future__ import annotations

import argparse
import gc
import json

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from lambda_latency.http import Server
from lambda_latency.local.cloud.clients import clients
from lambda_latency.local.faults import FaultPlan, TableFaults
from lambda_latency.local.gateway.wsgi import WsgiHandler
from lambda_latency.local.processes import serve_until_sigterm


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
    options = parser.parse_args()
    moto = DomainDispatcherApplication(create_backend_app)
    faults = TableFaults(FaultPlan.from_json(options.faults), json.loads(options.routes))
    server = Server(type("Emulator", (Emulator,), {"app": moto, "faults": faults}))
    dynamodb = clients(f"http://127.0.0.1:{server.port}")("dynamodb")
    for table in json.loads(options.tables):
        dynamodb.create_table(**table)
    gc.collect()
    # A full collection of moto's many models would delay answers by 100 ms
    gc.freeze()
    serve_until_sigterm(server.port)


if __name__ == "__main__":
    main()
