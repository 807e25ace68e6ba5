"""The planned faults of DynamoDB calls. The access key of a call, a function's name, selects its faults."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping

from lambda_latency.http import Handler, reset, wait_for_hangup
from lambda_latency.local.faults import Faults, Plan

CREDENTIAL = re.compile(r"Credential=([^/]+)/")


class TableFaults:
    """The faults that a plan has for tables. `routes` are the routes of each function."""

    def __init__(self, plan: Plan, routes: Mapping[str, Iterable[str]]) -> None:
        self._faults: Faults = plan.at("table")
        self._routes = {function: tuple(own) for function, own in routes.items()}

    def meet(self, call: Handler) -> bool:
        """Let a received call suffer its fault; True if that was its answer."""
        signed_by = CREDENTIAL.search(call.headers.get("Authorization", ""))
        function = signed_by[1] if signed_by else ""
        if function not in self._routes or not call.headers.get("X-Amz-Target", "").startswith("DynamoDB_"):
            return False
        fault = self._faults.next(self._routes[function])
        if fault is None:
            return False
        if fault.kind == "delay":
            time.sleep(fault.ms / 1000)
            return False
        if fault.kind == "throttle":
            _refuse(call, 400, "ProvisionedThroughputExceededException", "The level of throughput was exceeded.")
        elif fault.kind == "status":
            _refuse(call, fault.status, "InternalServerError", "The request could not be processed.")
        else:
            if fault.kind == "hang":
                wait_for_hangup(call.connection)
            reset(call.connection)
            call.close_connection = True
        return True


def _refuse(call: Handler, status: int, kind: str, message: str) -> None:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": message}).encode()
    call.answer(status, body, {"Content-Type": "application/x-amz-json-1.0"})
