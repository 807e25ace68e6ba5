"""What is returned and raised, how the process ends, and what is logged."""

from __future__ import annotations

from lab.same.case import SAMPLED, Case

EXIT: tuple[object, ...] = ({}, {"exit": True}, {})
RECORDS = {"Records": [{"messageId": "m-1"}, {"messageId": "m-2"}]}


def each(module: str, *functions: str) -> list[Case]:
    """A row for each function that needs nothing but an event."""
    return [Case(f"{module}.{function}") for function in functions]


CASES = [
    *each("plain", "nothing", "text", "number", "not_a_number", "nested", "keys", "large", "decimals", "a_set",
          "some_bytes", "a_date", "an_object", "circular", "generated", "streamed", "asynchronous",
          "asynchronous_inside", "an_enum",
          "a_dict_of_its_own", "watched", "a_list_of_its_own", "ok", "server_error", "odd_status", "huge_status",
          "about_the_context", "context_log", "writes_on_the_context", "one_argument", "any_arguments", "defaults",
          "a_lambda", "a_partial", "not_callable", "AClass", "decorated", "caching", "environment", "trace_variable",
          "handler_variable", "json_text"),
    Case("plain.too_large", events=({}, {"too": 1}, {})),
    Case("plain.echo", events=(None, 0, "text", [], ["a"], {"a": 1}, True, 1.5, {"Records": None}, {"headers": 7})),
    Case("plain.changed_event", events=(RECORDS, {"httpMethod": "GET", "path": "/x", "requestContext": {}})),
    Case("plain.a_dataclass", events=({"dict": 1}, {})),
    Case("plain.batch_failures", events=(RECORDS, {"Records": []})),
    Case("plain.an_instance", events=({}, {})),
    Case("plain.a_class_method", events=({}, {})),
    Case("plain.a_builtin", events=({"a": 1},)),
    Case("plain.counting", events=({}, {}, {})),
    Case("plain.not_there", roots=0),
    Case("plain.unreadable"),
    Case("plain.ends_the_span"),
    Case("plain.no_environment", ("GET",)),
    Case("not_there.handler", roots=0),
    Case("plain", roots=0),
    Case("plain.a.b", roots=0),
    Case("plain.echo", label="not sampled", header=SAMPLED.replace("Sampled=1", "Sampled=0"), roots=0),
    Case("plain.trace_variable", label="no parent", header=SAMPLED.partition(";")[0], roots=0),
    Case("plain.trace_variable", label="nonsense", header="nonsense", roots=0),
    *each("errors", "plain", "no_message", "several", "unicode", "lines", "long", "own", "unprintable",
          "unrepresentable", "untrue",
          "closed", "base", "chained", "during", "suppressed", "in_finally", "deep", "recursion", "from_exec", "syntax",
          "decoding", "assertion", "stop_iteration", "stop_in_generator", "generator_exit", "memory", "interrupt",
          "cancelled", "timeout", "os_error", "traced_back", "caught_by_name", "decorated", "exit_nothing", "exit_text",
          "exit_in_thread"),
    *[Case(f"errors.{function}", roots=0) for function in ("killed", "aborted", "crashed")],  # and its span with it
    Case("errors.noted", since=(3, 11)),
    Case("errors.group", since=(3, 11)),
    Case("errors.the_same_object", events=({}, {}, {})),
    Case("errors.exit_three", events=EXIT),
    Case("errors.hard_exit", events=EXIT, roots=2),
    Case("errors.timed_out", events=({"s": 0}, {"s": 30}, {"s": 0}), timeout_s=2),
    *each("signals", "alarm", "alarm_raises", "user_signal", "handlers", "at_exit", "blocked", "which_thread"),
    Case("signals.terminated", end="term"),
    Case("plain.nothing", label="SIGTERM", end="term"),
    *each("logs", "plain", "printed", "many_lines", "an_exception", "extra", "own_formatter", "basic", "forced",
          "configured",
          "info", "handlers", "root_level", "record_factory", "filtered", "attributes", "broken", "warned",
          "captured", "names"),
    Case("logs.debug", ("GET",)),
    Case("logs.by_structlog", needs=("structlog",)),
    Case("logs.by_loguru", needs=("loguru",)),
    Case("logs.by_json_logger", needs=("pythonjsonlogger",)),
    *[Case(f"logs.{function}", label="JSON", log_format="JSON")
      for function in ("plain", "printed", "many_lines", "an_exception", "extra", "own_formatter", "filtered",
                       "handlers")],
    *[Case(f"errors.{function}", label="JSON", log_format="JSON") for function in ("plain", "chained", "recursion")],
]  # fmt: skip
