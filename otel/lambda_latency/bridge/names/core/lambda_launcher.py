"""The context in Lambda, the same class."""

from lambda_latency.bridge.context import LambdaContext

__all__ = ["LAMBDA_TASK_ROOT_KEY", "LAMBDA_TRACE_HEADER_KEY", "LambdaContext"]

LAMBDA_TRACE_HEADER_KEY = "_X_AMZN_TRACE_ID"
LAMBDA_TASK_ROOT_KEY = "LAMBDA_TASK_ROOT"
