"""How modules start, and what they run: threads, processes, loops; libraries seen from outside."""

from __future__ import annotations

from lab.same.case import Case

TWICE: tuple[object, ...] = ({}, {})


def each(module: str, *functions: str, spans: tuple[str, ...] = ()) -> list[Case]:
    """A row for each function that needs nothing but an event."""
    return [Case(f"{module}.{function}", spans) for function in functions]


CASES = [
    *[Case(f"starts/{module}.handler", roots=0)
      for module in ("raises", "syntax", "missing", "environment_missing", "leaves", "nothing_here")],
    Case("starts/base.handler", roots=0,
         but={"log": "the runtime client looks for the handler once more, and its frames say so"}),
    *[Case(f"starts/{module}.handler", events=TWICE)
      for module in ("lazy_attribute", "replaced", "counted", "circular", "relative", "threads", "own_finder",
                     "import_replaced", "moved", "frozen", "decimals", "traced_by_python", "stack", "watcher",
                     "loop_at_import", "forks_at_import")],
    Case("starts/warnings_as_errors.handler", ("DynamoDB.ListTables", "GET")),
    Case("starts/warnings_as_errors.handler", ("DynamoDB.ListTables", "GET"), label="PYTHONWARNINGS",
         variables={"PYTHONWARNINGS": "error"}),
    Case("starts/read_only_modules.handler", ("DynamoDB.ListTables", "GET")),
    Case("starts/odd_modules.handler", ("GET",)),
    Case("starts/metaclass.handler", ("GET",)),
    Case("starts/seeded.handler", ("GET", "GET"), events=TWICE),
    Case("starts/clients.handler", ("DynamoDB.PutItem", "GET", "init > DynamoDB.GetItem", "init > GET"),
         but={"header": "while a module is imported there is no trace to continue"}),
    Case("starts/no_threads.handler", ("GET",) * 2, events=TWICE),
    Case("starts/small_stacks.handler", events=TWICE),
    Case("starts/proxied.handler", ("GET",) * 2, events=TWICE),
    Case("starts/lazy.handler", ("DynamoDB.GetItem", "GET")),
    Case("starts/imported_in_thread.handler", ("GET",)),
    Case("starts/logging_first.handler", ("GET",)),
    Case("starts/greened.nothing", needs=("gevent",)),
    Case("starts/greened.spawned", ("GET", "GET", "GET"), needs=("gevent",)),
    Case("starts/greened.pooled", ("GET", "GET"), needs=("gevent",)),
    Case("starts/greened.threaded", ("GET",), needs=("gevent",)),
    Case("starts/greened.timed_out", needs=("gevent",)),
    Case("starts/greened_late.handler", ("GET",), needs=("gevent",)),
    Case("starts/greened_in_request.handler", ("GET",) * 2, events=TWICE, needs=("gevent",)),
    Case("starts.counted.handler"),
    Case("starts/modules.handler",
         but={"answers": "the runtime's client and ids need ssl and uuid; who patches them can all the same"}),
    *each("concurrency", "thread", "subclass", "own_loop", "loop_in_thread", "in_an_empty_context", spans=("GET",)),
    *each("concurrency", "pool", "module_pool", spans=("GET", "GET", "GET")),
    *each("concurrency", "queued", "a_loop", spans=("GET", "GET")),
    *each("concurrency", "failing_pool", "failing_thread", "thread_hook", "timer", "thread_local", "context_variables",
          "own_context_variables", "current_loop", "failing_tasks", "task_never_awaited", "cancelling",
          "asynchronous_generator", "failing_process", "forked_and_exits", "command", "command_environment",
          "failing_command", "counted", "others_joined"),
    Case("concurrency.counted", label="nothing takes spans", events=TWICE, roots=0,
         variables={"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}),
    Case("concurrency.random_in_forks", events=TWICE),
    *[Case(f"leftovers.{function}", ("GET",)) for function in ("finally_clause", "deleted", "collected", "traced",
                                                                "profiled", "memory_limit", "stopped_thread")],
    Case("leftovers.kept_worker", ("GET",) * 3, events=({},) * 3),
    Case("leftovers.kept_loop", ("GET",) * 2, events=TWICE),
    Case("leftovers.eager_tasks", ("GET",) * 2, since=(3, 12)),
    Case("concurrency.context_variables_stay", events=({"n": 1}, {"n": 2}, {"n": 3})),
    Case("concurrency.background", events=({"s": 0.2}, {"s": 0.2})),
    Case("concurrency.tasks", since=(3, 11)),
    Case("concurrency.fast_loop", ("GET",), needs=("uvloop",)),
    Case("concurrency.any_io", ("GET",), needs=("anyio",)),
    Case("concurrency.forked_process", ("GET",)),
    Case("concurrency.forked", ("GET",)),
    Case("concurrency.spawned_process"),  # another interpreter, in which nothing of the kit runs
    Case("concurrency.process_pool", ("GET", "GET")),
    *each("libraries", "signatures", "documentation", "pickled", "copied", "mocked", "reloaded", "imported_again",
          "modules",
          "lazily", "missing_module", "missing_name", "optional_module", "finders", "asked_once", "warned", "collected",
          "interpreter",
          "path", "deep_recursion", "cloudpickled_class"),
    Case("libraries.retried", needs=("tenacity",)),
    Case("libraries.validated", events=({"id": "7"}, {"id": "x"}), needs=("pydantic",)),
]  # fmt: skip
