"""What handlers return, and what they are called with."""

import asyncio
import contextlib
import dataclasses
import datetime
import decimal
import enum
import functools
import inspect
import json
import os
import pickle
import types


def nothing(event, context):
    pass


def text(event, context):
    return "grüß dich \u2028 \U0001f600 \x00"


def number(event, context):
    return 1e22


def not_a_number(event, context):
    return {"x": float("nan"), "y": float("inf")}


def nested(event, context):
    return {"a": [{"b": {"c": [None, True, 1.5, "x"]}}], "1": {}}


def keys(event, context):
    return {1: "a", None: "b", True: "c", 2.5: "d"}


def large(event, context):
    return "x" * 1_000_000


def too_large(event, context):
    return "x" * 6_500_000 if event.get("too") else "small"


def echo(event, context):
    return event


def changed_event(event, context):
    event["seen"] = True
    event.pop("Records", None)
    return event


def decimals(event, context):
    return {"total": decimal.Decimal("1.10")}


def a_set(event, context):
    return {1, 2}


def some_bytes(event, context):
    return b"abc"


def a_date(event, context):
    return {"at": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)}


def an_object(event, context):
    return object


def circular(event, context):
    me = {}
    me["me"] = me
    return me


def generated(event, context):
    return (number for number in range(3))


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


class Colour(str, enum.Enum):
    RED = "red"


def an_enum(event, context):
    return {"colour": Colour.RED, "priority": enum.IntEnum("P", "LOW HIGH").HIGH}


class Fields(dict):
    def __missing__(self, key):
        return key


def a_dict_of_its_own(event, context):
    return Fields(a=1)


class Watched(dict):
    """Says what is asked of it."""

    def get(self, key, default=None):
        print("get", key)
        return super().get(key, default)

    def __contains__(self, key):
        print("contains", key)
        return super().__contains__(key)


def watched(event, context):
    return Watched(batchItemFailures=[], statusCode=500)


class Items(list):
    pass


def a_list_of_its_own(event, context):
    return {"items": Items([1, 2]), "pair": (1, 2)}


@dataclasses.dataclass
class Point:
    x: int


def a_dataclass(event, context):
    return dataclasses.asdict(Point(1)) if event.get("dict") else Point(1)


def ok(event, context):
    return {"statusCode": 200, "headers": {"Content-Type": "text/plain"}, "body": "hello"}


def server_error(event, context):
    return {"statusCode": 503, "body": "later"}


def odd_status(event, context):
    return {"statusCode": "200 OK", "body": None}


def huge_status(event, context):
    return {"statusCode": 10**30}


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


def one_argument(event):
    return 1


def any_arguments(*args, **kwargs):
    return [len(args), sorted(kwargs), type(args[1]).__name__]


def defaults(event, context, more="default"):
    return more


class Callable:
    """A class whose instance is the handler."""

    def __init__(self):
        self.calls = 0

    def __call__(self, event, context):
        self.calls += 1
        return self.calls


an_instance = Callable()
a_class_method = Callable().__call__
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


def environment(event, context):
    ours = (
        "LAMBDA_LATENCY_",
        "OTEL_EXPORTER",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_LOG_STREAM",
        "PEER",
        "AWS_ENDPOINT",
        "_X_",
    )
    return {name: value for name, value in sorted(os.environ.items()) if not name.startswith(ours)}


def trace_variable(event, context):
    return os.environ.get("_X_AMZN_TRACE_ID")


def handler_variable(event, context):
    return os.environ["_HANDLER"]


class Unreadable(dict):
    def __contains__(self, key):
        raise RuntimeError("mine")

    get = __getitem__ = __contains__


def unreadable(event, context):
    return Unreadable(statusCode=500)


def ends_the_span(event, context):
    from opentelemetry import trace

    trace.get_current_span().end()


def no_environment(event, context):
    import requests

    peer = os.environ["PEER"]
    os.environ.clear()
    return [requests.get(f"{peer}/http/bare", timeout=5).status_code, len(os.environ)]


def json_text(event, context):
    return json.dumps(event)


class Methods:
    @staticmethod
    def static(event, context):
        return "static"

    @classmethod
    def of_class(cls, event, context):
        return cls.__name__

    def bound(self, event, context):
        return type(self).__name__


a_static_method, a_method_of_a_class, a_bound_method = Methods.static, Methods.of_class, Methods().bound


@functools.singledispatch
def dispatched(event, context):
    return "an object"


@dispatched.register
def of_dict(event: dict, _context):
    return "a dict"


@contextlib.contextmanager
def around():
    yield


@around()
def in_a_context_manager(event, context):
    return "inside"


def about_itself(event, context):
    return [str(inspect.signature(about_itself)), inspect.getsource(about_itself)[:17],
            [frame.function for frame in inspect.stack() if frame.filename == __file__],
            pickle.loads(pickle.dumps(about_itself)) is about_itself]  # fmt: skip


def half_a_character(event, context):
    return "\ud800"
