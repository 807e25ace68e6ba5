"""What is returned and raised, how the process ends, and what is logged."""

from lab.same.case import GET, SAMPLED, TWICE, Case, asked, each

EXIT: tuple[object, ...] = ({}, {"exit": True}, {})
RECORDS = {"Records": [{"messageId": "m-1"}, {"messageId": "m-2"}]}
TRACE: tuple[object, ...] = ({"value": "trace"},)

CASES = [
    asked("plain.returned", "value", "nothing", "text", "half a character", "number", "not a number", "nested", "keys",
          "large", "decimals", "set", "bytes", "date", "object", "circular", "generator", "enum", "own dict",
          "own list", "watched", "unreadable", "dataclass", "fields of a dataclass", "200", "503", "odd status",
          "huge status", "trace", "handler"),
    *each("plain", "streamed", "asynchronous", "asynchronous_inside", "about_the_context", "context_log",
          "writes_on_the_context", "one_argument", "any_arguments", "defaults", "a_lambda", "a_partial",
          "not_callable", "AClass", "decorated", "caching", "environment", "a_static_method", "a_class_method",
          "about_itself"),
    Case("plain.too_large", events=({}, {"too": 1}, {})),
    Case("plain.echo", events=(None, 0, "text", [], ["a"], {"a": 1}, True, 1.5, {"Records": None}, {"headers": 7})),
    Case("plain.changed_event", events=(RECORDS, {"httpMethod": "GET", "path": "/x", "requestContext": {}})),
    Case("plain.batch_failures", events=(RECORDS, {"Records": []})),
    Case("plain.an_instance", events=TWICE),
    Case("plain.a_bound_method", events=TWICE),
    Case("plain.a_builtin", events=({"a": 1},)),
    Case("plain.counting", events=({},) * 3),
    Case("plain.not_there", roots=0),
    Case("plain.ends_the_span"),
    Case("plain.no_environment", GET),
    Case("not_there.handler", roots=0),
    Case("plain", roots=0),
    Case("plain.a.b", roots=0),
    Case("plain.echo", label="not sampled", header=SAMPLED.replace("Sampled=1", "Sampled=0"), roots=0),
    Case("plain.returned", label="no parent", events=TRACE, header=SAMPLED.partition(";")[0], roots=0),
    Case("plain.returned", label="nonsense", events=TRACE, header="nonsense", roots=0),
    asked("errors.raised", "error", "no message", "several arguments", "unicode", "lines", "long", "own",
          "unprintable", "unrepresentable", "untrue", "closed", "assertion", "memory", "code in a text", "syntax",
          "decoding", "no more", "too late", "no file"),
    asked("errors.ended", "error", "base", "generator exit", "interrupt", "cancelled", "exit", "exit with a text"),
    Case("errors.dies", events=({"by": "kill"}, {"by": "abort"}, {"by": "crash"}), roots=0),  # and its span with it
    *each("errors", "plain", "chained", "recursion", "stop_in_generator",
          "traced_back", "exit_in_thread"),
    Case("errors.noted", since=(3, 11)),
    Case("errors.group", since=(3, 11)),
    Case("errors.the_same_object", events=({},) * 3),
    Case("errors.exit_three", events=EXIT),
    Case("errors.hard_exit", events=EXIT, roots=2),
    Case("errors.timed_out", events=({"s": 0}, {"s": 30}, {"s": 0}), timeout_s=2),
    *each("signals", "alarm", "alarm_raises", "handlers", "at_exit", "blocked", "which_thread"),
    Case("signals.terminated", end="term"),
    Case("plain.caching", label="SIGTERM", end="term"),
    *each("logs", "plain", "printed", "many_lines", "an_exception", "extra", "own_formatter", "basic", "forced",
          "configured", "state", "record_factory", "filtered", "attributes", "broken", "warned"),
    Case("logs.debug", GET),
    Case("logs.by_structlog_context", needs=("structlog",)),
    Case("logs.by_loguru_context", needs=("loguru",)),
    Case("logs.by_json_logger", needs=("pythonjsonlogger",)),
    *[Case(f"logs.{function}", label="JSON", log_format="JSON")
      for function in ("plain", "printed", "many_lines", "an_exception", "extra", "own_formatter", "filtered",
                       "state")],
    *[Case(f"errors.{function}", label="JSON", log_format="JSON") for function in ("plain", "chained", "recursion")],
]  # fmt: skip
