"""What functions do with libraries and the interpreter that is theirs to do: replace parts, watch, use frameworks."""

from lab.same.case import GET, Case, each
from lab.same.corpus.tracers import POWERTOOLS, http

BATCH = {"Records": [{"messageId": text, "body": text, "eventSource": "aws:sqs"} for text in ("good", "bad")]}

CASES = [
    *each("patched", "adapter", "function", "resolver", "clock", "date", "sleep", "opening", "environment",
          "modules", "output", "default_timeout", spans=GET),
    Case("patched.stopped_clock", GET),
    Case("patched.api_call", ("DynamoDB.DescribeTable",)),
    Case("patched.autospec"),
    Case("patched.lazy_module", ("select",)),
    *each("watched", "allocations", "shallow", "calls_at_exit", spans=GET),
    *each("watched", "dumped", "no_files_left", "closes_all"),
    Case("watched.traced", GET * 2),
    Case("aws.refreshed", ("STS.GetCallerIdentity",)),
    Case("aws.task_each", (*["DynamoDB.GetItem"] * 3, *["DynamoDB.Query"] * 2), needs=("aiobotocore",)),
    Case("calls.aiohttp_trace_config", ("GET", "POST"),
         needs=("aiohttp", "opentelemetry.instrumentation.aiohttp_client")),
    Case("vendors/powertools.idempotent", ("DynamoDB.PutItem", "DynamoDB.UpdateItem"), needs=POWERTOOLS),
    Case("vendors/powertools.cached_parameters", ("SSM.GetParameter", "SSM.GetParameter",
                                                       "Secrets Manager.GetSecretValue"), needs=POWERTOOLS),
    Case("vendors/powertools.tasks_of_a_batch", GET, events=(BATCH,), needs=POWERTOOLS),
    Case("vendors/powertools.validated", needs=POWERTOOLS,
         events=tuple(http(path) for path in ("/orders/3", "/orders/x", "/none", "/key", "/nowhere"))),
    Case("vendors/powertools.streamed", ("S3.GetObject",), needs=POWERTOOLS),
    Case("vendors/web.by_streams", needs=("flask", "apig_wsgi"), events=(http("/parts"), http("/no"))),
    Case("vendors/web.by_starlette", needs=("fastapi", "mangum"),
         events=(http("/"), http("/numbers"), http("/bad"))),
]  # fmt: skip
