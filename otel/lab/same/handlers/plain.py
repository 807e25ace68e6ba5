"""What handlers return, and what they are called with."""

import asyncio
import dataclasses
import datetime
import decimal
import enum
import functools
import inspect
import os
import pickle
import types


class Colour(str, enum.Enum):
    RED = "red"


class Fields(dict):
    def __missing__(self, key):
        return key


class Items(list):
    pass


class Watched(dict):
    """Says what is asked of it."""

    def get(self, key, default=None):
        print("get", key)
        return super().get(key, default)

    def __contains__(self, key):
        print("contains", key)
        return super().__contains__(key)


class Unreadable(dict):
    def __contains__(self, key):
        raise RuntimeError("mine")

    get = __getitem__ = __contains__


@dataclasses.dataclass
class Point:
    x: int


def circular():
    me = {}
    me["me"] = me
    return me


VALUES = {
    "nothing": lambda: None,
    "text": lambda: "grüß dich \u2028 \U0001f600 \x00",
    "half a character": lambda: "\ud800",
    "number": lambda: 1e22,
    "not a number": lambda: {"x": float("nan"), "y": float("inf")},
    "nested": lambda: {"a": [{"b": {"c": [None, True, 1.5, "x"]}}], "1": {}},
    "keys": lambda: {1: "a", None: "b", True: "c", 2.5: "d"},
    "large": lambda: "x" * 1_000_000,
    "decimals": lambda: {"total": decimal.Decimal("1.10")},
    "set": lambda: {1, 2},
    "bytes": lambda: b"abc",
    "date": lambda: {"at": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)},
    "object": lambda: object,
    "circular": circular,
    "generator": lambda: (number for number in range(3)),
    "enum": lambda: {"colour": Colour.RED, "priority": enum.IntEnum("P", "LOW HIGH").HIGH},
    "own dict": lambda: Fields(a=1),
    "own list": lambda: {"items": Items([1, 2]), "pair": (1, 2)},
    "watched": lambda: Watched(batchItemFailures=[], statusCode=500),
    "unreadable": lambda: Unreadable(statusCode=500),
    "dataclass": lambda: Point(1),
    "fields of a dataclass": lambda: dataclasses.asdict(Point(1)),
    "200": lambda: {"statusCode": 200, "headers": {"Content-Type": "text/plain"}, "body": "hello"},
    "503": lambda: {"statusCode": 503, "body": "later"},
    "odd status": lambda: {"statusCode": "200 OK", "body": None},
    "huge status": lambda: {"statusCode": 10**30},
    "trace": lambda: os.environ.get("_X_AMZN_TRACE_ID"),
    "handler": lambda: os.environ["_HANDLER"],
}


def returned(event, context):
    return VALUES[event["value"]]()


def too_large(event, context):
    return "x" * 6_500_000 if event.get("too") else "small"


def echo(event, context):
    return event


def changed_event(event, context):
    event["seen"] = True
    event.pop("Records", None)
    return event


def streamed(event, context):
    yield "a"
    yield "b"


async def asynchronous(event, context):
    return 1


def asynchronous_inside(event, context):
    async def work():
        await asyncio.sleep(0)
        return {"ok": True}

    return asyncio.run(work())


def batch_failures(event, context):
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}


def about_the_context(event, context):
    return {
        "name": context.function_name,
        "version": context.function_version,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "request": context.aws_request_id,
        "group": context.log_group_name,
        "identity": repr(context.identity.cognito_identity_id),
        "client": context.client_context,
        "left": 15_000 < context.get_remaining_time_in_millis() <= 20_000,
        "type": type(context).__name__,
        "attributes": sorted(name for name in vars(context)),
    }


def context_log(event, context):
    context.log("by the context\n")


def writes_on_the_context(event, context):
    context.tenant = "t1"
    return vars(context)["tenant"]


def any_arguments(*args, **kwargs):
    return [len(args), sorted(kwargs), type(args[1]).__name__]


def one_argument(event):
    return 1


def defaults(event, context, more="default"):
    return more


class Handlers:
    def __init__(self):
        self.calls = 0

    def __call__(self, event, context):
        self.calls += 1
        return self.calls

    @staticmethod
    def static(event, context):
        return "static"

    @classmethod
    def of_class(cls, event, context):
        return cls.__name__


an_instance, a_bound_method = Handlers(), Handlers().__call__
a_static_method, a_class_method = Handlers.static, Handlers.of_class
a_partial = functools.partial(defaults, more="bound")
a_lambda = lambda event, context: "from a lambda"  # noqa: E731
a_builtin = types.SimpleNamespace(call=max).call
not_callable = {"a": 1}


class Meta(type):
    def __call__(cls, event, context):
        return {"made": cls.__name__}


class AClass(metaclass=Meta):
    pass


def wrapped(function):
    @functools.wraps(function)
    def around(event, context):
        result = function(event, context)
        return {"decorated": result, "name": around.__name__}

    return around


@wrapped
@wrapped
def decorated(event, context):
    return 1


@functools.lru_cache
def cached_inside(text):
    return text.upper()


def caching(event, context):
    return [cached_inside("a"), cached_inside.cache_info().hits]


STATE = {"calls": 0}


def counting(event, context):
    STATE["calls"] += 1
    return STATE


OURS = (
    "LAMBDA_LATENCY_",
    "OTEL_EXPORTER",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_LOG_STREAM",
    "PEER",
    "AWS_ENDPOINT",
    "_X_",
)


def environment(event, context):
    return {name: value for name, value in sorted(os.environ.items()) if not name.startswith(OURS)}


def ends_the_span(event, context):
    from opentelemetry import trace

    trace.get_current_span().end()


def no_environment(event, context):
    import requests

    peer = os.environ["PEER"]
    os.environ.clear()
    return [requests.get(f"{peer}/http/bare", timeout=5).status_code, len(os.environ)]


def about_itself(event, context):
    return [str(inspect.signature(about_itself)), inspect.getsource(about_itself)[:17],
            [frame.function for frame in inspect.stack() if frame.filename == __file__],
            pickle.loads(pickle.dumps(about_itself)) is about_itself]  # fmt: skip
