"""How modules start, and what they run: threads, processes, loops; libraries seen from outside."""

from lab.same.case import GET, TWICE, Case, asked, each, started

STARTS = "starts/at_import"
CALLS = ("DynamoDB.ListTables", "GET")

CASES = [
    *[started(STARTS, start, roots=0)
      for start in ("raises", "missing", "leaves")],
    started(STARTS, "base", roots=0,
            but={"log": "the runtime client looks for the handler once more, and its frames say so"}),
    *[started(STARTS, start, events=TWICE)
      for start in ("lazy_attribute", "replaced", "counted", "threads", "own_finder", "import_replaced", "moved",
                    "frozen", "decimals", "stack", "watcher", "forks", "small_stacks")],
    Case("starts/circular.handler", events=TWICE),
    started("starts.at_import", "counted"),
    started(STARTS, "warnings_as_errors", CALLS),
    started(STARTS, "warnings_as_errors", CALLS, label="PYTHONWARNINGS", variables={"PYTHONWARNINGS": "error"}),
    started(STARTS, "read_only_modules", CALLS),
    *[started(STARTS, start, GET) for start in ("odd_modules", "imported_in_thread", "logging_first")],
    *[started(STARTS, start, GET * 2, events=TWICE) for start in ("seeded", "no_threads", "proxied")],
    started(STARTS, "clients", ("DynamoDB.PutItem", "GET", "init > DynamoDB.GetItem", "init > GET"),
            but={"header": "while a module is imported there is no trace to continue"}),
    started(STARTS, "lazy", ("DynamoDB.GetItem", "GET")),
    started(STARTS, "greened", GET, needs=("gevent",)),
    started(STARTS, "greened_in_request", GET * 2, events=TWICE, needs=("gevent",)),
    started(STARTS, "modules",
            but={"answers": "the runtime's client and ids need ssl and uuid; who patches them can all the same"}),
    Case("starts/greened.nothing", needs=("gevent",)),
    Case("starts/greened.spawned", ("GET", "GET", "GET"), needs=("gevent",)),
    Case("starts/greened.pooled", ("GET", "GET"), needs=("gevent",)),
    Case("starts/greened.threaded", ("GET",), needs=("gevent",)),
    Case("starts/greened.timed_out", needs=("gevent",)),
    *each("concurrency", "own_loop", "in_an_empty_context", spans=("GET",)),
    Case("concurrency.pool", ("GET", "GET", "GET")),
    *each("concurrency", "thread", "a_loop", "process_pool", spans=GET * 2),
    asked("concurrency.worked", "work", "failing thread", "thread hook", "timer", "thread local", "loop",
          "failing tasks", "task never awaited", "forked and exits", "failing command"),
    *each("concurrency", "context_variables", "own_context_variables", "command_environment",
          "counted", "others_joined"),
    Case("concurrency.counted", label="nothing takes spans", events=TWICE, roots=0,
         variables={"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}),
    Case("concurrency.random_in_forks", events=TWICE),
    *each("watched", "finally_clause", "collected", "memory_limit", "stopped_thread", spans=GET),
    Case("watched.kept_worker", ("GET",) * 3, events=({},) * 3),
    Case("watched.eager_tasks", ("GET",) * 2, since=(3, 12)),
    Case("concurrency.background", events=({"s": 0.2}, {"s": 0.2})),
    Case("concurrency.fast_loop", ("GET",), needs=("uvloop",)),
    Case("concurrency.forked", GET),
    Case("concurrency.processes", GET),  # of three: in another interpreter nothing of the kit runs
    *each("libraries", "signatures", "copied", "reloaded", "imported_again", "specifications",
          "missing_name", "asked_once", "warned", "interpreter", "path", "deep_recursion"),
    Case("libraries.validated", events=({"id": "7"}, {"id": "x"}), needs=("pydantic",)),
]  # fmt: skip
