"""Lambda's context object, as the runtime client passes it to a handler."""

from __future__ import annotations

import os
import uuid

from lambda_latency.testing.clock import RUNNING, now_ns

NS = 1_000_000


class LambdaContext:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html; the deadline counts from its creation."""

    def __init__(self, function_name: str, memory_mb: int, timeout_s: float) -> None:
        region = os.environ.get("AWS_REGION", "us-east-1")
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = function_name
        self.function_version = "$LATEST"
        self.invoked_function_arn = f"arn:aws:lambda:{region}:123456789012:function:{function_name}"
        self.memory_limit_in_mb = str(memory_mb)
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        self.identity = None
        self.client_context = None
        self.tenant_id = None
        self._deadline_ns = now_ns() + round(timeout_s * 1000) * NS
        # The runtime watches this deadline by the real clock; None disables that while the clock is stopped.
        self._epoch_deadline_time_in_ms = None if RUNNING else self._deadline_ns // NS

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline; 0 after it."""
        return max(0, (self._deadline_ns - now_ns()) // NS)
