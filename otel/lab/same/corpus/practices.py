"""What functions do with libraries and the interpreter that is theirs to do: replace parts, watch, use frameworks."""

from __future__ import annotations

from lab.same.case import Case
from lab.same.corpus.tracers import http

TWICE: tuple[object, ...] = ({}, {})
GET = ("GET",)
POWERTOOLS = ("aws_lambda_powertools",)
BATCH = {"Records": [{"messageId": text, "body": text, "eventSource": "aws:sqs"} for text in ("good", "bad")]}


def each(module: str, *functions: str, spans: tuple[str, ...] = ()) -> list[Case]:
    """A row for each function that needs nothing but an event."""
    return [Case(f"{module}.{function}", spans) for function in functions]


CASES = [
    *each("plain", "a_static_method", "a_method_of_a_class", "a_bound_method", "dispatched", "in_a_context_manager",
          "about_itself", "half_a_character"),
    Case("logs.by_structlog_context", needs=("structlog",)),
    Case("logs.by_loguru_context", needs=("loguru",)),
    *each("patched", "adapter", "function", "resolver", "clock", "date", "sleep", "opening", "environment",
          "no_environment", "modules", "output", "default_timeout", spans=GET),
    Case("patched.stopped_clock", GET),
    Case("patched.api_call", ("DynamoDB.DescribeTable",)),
    Case("patched.autospec"),
    Case("patched.lazy_module", ("select",)),
    *each("watched", "traced", "profiled", "allocations", "collections", "finalized", "shallow", "configured",
          "calls_at_exit", spans=GET),
    *each("watched", "dumped", "hooks", "no_files_left", "closes_all"),
    Case("watched.piped", GET * 2),
    Case("aws.refreshed", ("STS.GetCallerIdentity",)),
    Case("aws.uploads_in_threads", ("S3.PutObject",) * 3),
    Case("aws.mapped", ("S3.GetObject",) * 3),
    Case("aws.limited_retries", ("DynamoDB.GetItem",)),
    Case("aws.waiter_fails", ("DynamoDB.DescribeTable",) * 2),
    Case("aws.searched_pages", ("DynamoDB.Scan",) * 2),
    Case("aws.posted"),
    Case("aws.task_each", (*["DynamoDB.GetItem"] * 3, *["DynamoDB.Query"] * 2), needs=("aiobotocore",)),
    Case("clients.httpx_event_hooks", ("GET", "GET", "POST"), needs=("httpx",)),
    Case("clients.aiohttp_trace_config", ("GET", "POST"),
         needs=("aiohttp", "opentelemetry.instrumentation.aiohttp_client")),
    Case("clients.retried_by_result", GET * 3, needs=("tenacity",)),
    Case("vendors/powertools_more.idempotent", ("DynamoDB.PutItem", "DynamoDB.UpdateItem"), needs=POWERTOOLS),
    Case("vendors/powertools_more.cached_parameters", ("SSM.GetParameter", "SSM.GetParameter",
                                                       "Secrets Manager.GetSecretValue"), needs=POWERTOOLS),
    Case("vendors/powertools_more.tasks_of_a_batch", GET, events=(BATCH,), needs=POWERTOOLS),
    Case("vendors/powertools_more.validated", needs=POWERTOOLS,
         events=tuple(http(path) for path in ("/orders/3", "/orders/x", "/none", "/key", "/nowhere"))),
    Case("vendors/powertools_more.streamed", ("S3.GetObject",), needs=POWERTOOLS),
    Case("vendors/powertools_more.flags", needs=POWERTOOLS),
    Case("vendors/powertools_more.parsed", events=({"id": "3"}, {"id": "x"}), needs=POWERTOOLS),
    Case("vendors/powertools_more.data_class", events=({"detail-type": "placed"},), needs=POWERTOOLS),
    Case("vendors/powertools_more.correlated", events=({"requestContext": {"requestId": "r-1"}},), needs=POWERTOOLS),
    Case("vendors/web.by_streams", needs=("flask", "apig_wsgi"), events=(http("/parts"), http("/no"))),
    Case("vendors/web.by_starlette", needs=("fastapi", "mangum"),
         events=(http("/"), http("/numbers"), http("/bad"))),
]  # fmt: skip
