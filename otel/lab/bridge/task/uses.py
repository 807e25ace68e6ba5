"""Uses of the X-Ray SDK as people write them: each is called once with its name, under the SDK and under the bridge.

A use returns what it has seen, so that answers are compared as well as documents.
"""

import asyncio
import decimal
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import aws_xray_sdk
import own_module
from aws_xray_sdk.core import AWSXRayRecorder, patch, patch_all, xray_recorder
from aws_xray_sdk.core.exceptions.exceptions import AlreadyEndedException, SegmentNotFoundException
from aws_xray_sdk.core.models import http
from aws_xray_sdk.core.models.subsegment import Subsegment
from aws_xray_sdk.core.models.trace_header import TraceHeader
from aws_xray_sdk.core.utils import stacktrace
from aws_xray_sdk.ext.dbapi2 import XRayTracedConn
from aws_xray_sdk.ext.util import construct_xray_header, get_hostname, inject_trace_header, strip_url

logging.getLogger("aws_xray_sdk").setLevel(logging.CRITICAL)
patch_all()

USES: dict[str, Any] = {}


def use(function: Any) -> Any:
    """Register a use by the name of its function."""
    USES[function.__name__] = function
    return function


def handler(event: dict[str, Any], context: Any) -> Any:
    """Run one. Documents leave as their subsegments end, which is how the SDK begins in Lambda."""
    xray_recorder.configure(streaming_threshold=0)
    try:
        result = USES[event["use"]]()
        if asyncio.iscoroutine(result):
            result = asyncio.run(result)
    except Exception as error:  # noqa: BLE001 - what a use raises is compared, too
        return {"raised": f"{type(error).__name__}: {error}"}
    return {"returned": result if isinstance(result, (str, int, float, bool, list, dict)) else repr(type(result))}


@use
def block() -> Any:
    with xray_recorder.in_subsegment("block") as subsegment:
        return [subsegment.name, subsegment.namespace, subsegment.type]


FLAGS = {"fault_flag": "add_fault_flag", "error_flag": "add_error_flag", "throttle_flag": "add_throttle_flag"}


def flagged(name: str) -> None:
    with xray_recorder.in_subsegment("flagged") as subsegment:
        getattr(subsegment, FLAGS[name])()


USES |= {name: partial(flagged, name) for name in FLAGS}


@use
def names() -> Any:
    with xray_recorder.in_subsegment("what? (is) *this*; $") as subsegment:
        changed = subsegment.name
        subsegment.name = "after"
    with xray_recorder.in_subsegment("api.example.com", namespace="remote"):
        return changed


@use
def order_of_levels() -> Any:
    seen = []
    for name in ("one", "two", "three"):
        xray_recorder.begin_subsegment(name)
    for _ in range(3):
        seen.append(xray_recorder.current_subsegment().name)
        xray_recorder.end_subsegment()
    with ExitStack() as stack:
        for number in range(3):
            stack.enter_context(xray_recorder.in_subsegment(f"level {number}"))
        for name in ("first", "second", "third"):
            with xray_recorder.in_subsegment(name):
                seen.append(xray_recorder.current_subsegment().name)
    outer, inner = xray_recorder.begin_subsegment("outer"), xray_recorder.begin_subsegment("inner")
    outer.put_annotation("before", 1)
    inside = xray_recorder.current_subsegment() is inner
    xray_recorder.end_subsegment()
    xray_recorder.end_subsegment()
    return [seen, inside, outer.in_progress, inner.in_progress, xray_recorder.current_subsegment() is None]


@use
def order_of_ends() -> Any:
    """With a time, without a begin, twice, and a change after the end."""
    subsegment = xray_recorder.begin_subsegment("timed")
    xray_recorder.end_subsegment(subsegment.start_time + 2)
    answers = [subsegment.end_time - subsegment.start_time == 2, str(xray_recorder.end_subsegment())]
    for change in (subsegment.close, partial(subsegment.put_annotation, "late", True)):
        try:
            change()
        except AlreadyEndedException as error:
            answers.append(f"{type(error).__name__}: {error}")
    with xray_recorder.in_subsegment("afterwards"):
        return [*answers, xray_recorder.current_subsegment().name]


@use
def aws_namespace() -> None:
    with xray_recorder.in_subsegment("S3", namespace="aws"):
        pass


@use
def annotations() -> None:
    with xray_recorder.in_subsegment("annotated") as subsegment:
        subsegment.put_annotation("text", "value")
        subsegment.put_annotation("number", 42)
        subsegment.put_annotation("half", 0.5)
        subsegment.put_annotation("flag", True)
        subsegment.put_annotation("text", "another value")


@use
def other_annotations() -> None:
    """Through the recorder, with computed keys, and with keys and values that are dropped."""
    with xray_recorder.in_subsegment("annotated") as subsegment:
        xray_recorder.put_annotation("key", "value")
        for number in range(12):
            subsegment.put_annotation(f"key_{number}", number)
        for key, value in (("a-b", "value"), ("a.b", "value"), (1, "value"), ("list", ["value"]), ("none", None)):
            subsegment.put_annotation(key, value)


@use
def annotation_on_lambdas_segment() -> None:
    xray_recorder.put_annotation("key", "value")


@use
def metadata() -> None:
    with xray_recorder.in_subsegment("described") as subsegment:
        subsegment.put_metadata("plain", "text")
        subsegment.put_metadata("nested", {"a": [1, 2.5, None, {"b": True}]})
        subsegment.put_metadata("spaced", "value", "space")
        subsegment.put_metadata("other", 1, "space")


@use
def other_metadata() -> None:
    """Objects, and a reserved namespace."""

    class Thing:
        def __init__(self) -> None:
            self.shown, self._hidden = "yes", "no"

        def method(self) -> None:
            pass

    with xray_recorder.in_subsegment("described") as subsegment:
        values = {"decimal": decimal.Decimal("1.5"), "tuple": (1, 2), "thing": Thing(), "kind": dict}
        for key, value in values.items():
            subsegment.put_metadata(key, value)
        for namespace in ("AWS.mine", 1, "mine"):
            subsegment.put_metadata("key", "value", namespace)


@use
def large_metadata() -> None:
    with xray_recorder.in_subsegment("described") as subsegment:
        subsegment.put_metadata("text", "x" * 10_000)
        subsegment.put_metadata("short", "y")


@use
def decorated() -> Any:
    @xray_recorder.capture("named")
    def named(one: int, *, two: int = 2) -> int:
        """Its doc."""
        return one + two

    @xray_recorder.capture()
    def unnamed() -> str:
        return "value"

    return [named(1, two=5), unnamed(), named.__name__, named.__doc__]


@use
def decorated_methods() -> Any:
    class Shop:
        @xray_recorder.capture("buy")
        def buy(self, what: str) -> str:
            return f"{type(self).__name__} {what}"

        @staticmethod
        @xray_recorder.capture("still")
        def still() -> str:
            return "still"

        @classmethod
        @xray_recorder.capture("made")
        def made(cls) -> str:
            return cls.__name__

    return [Shop().buy("tea"), Shop.still(), Shop.made()]


@use
def decorated_within_decorated() -> Any:
    @xray_recorder.capture("outer")
    @xray_recorder.capture("inner")
    def twice() -> str:
        xray_recorder.put_annotation("depth", 2)
        return str(xray_recorder.current_subsegment().name)

    @xray_recorder.capture("level")
    def deeper(left: int) -> int:
        return deeper(left - 1) if left else 0

    @xray_recorder.capture("calls")
    def calls() -> str:
        xray_recorder.put_annotation("depth", 1)
        return twice()

    with xray_recorder.in_subsegment("parent"):
        return [calls(), deeper(2), twice(), xray_recorder.current_subsegment().name]


@use
def exceptions() -> Any:
    """Of a class of one's own, caught outside of their subsegment, and added by hand."""

    class OwnError(Exception):
        pass

    with xray_recorder.in_subsegment("parent") as parent:
        for number, error in enumerate((ValueError("of no value"), OwnError("mine"))):
            with suppress(ValueError, OwnError), xray_recorder.in_subsegment(f"child {number}"):
                raise error
        try:
            raise ValueError("seen")
        except ValueError as error:
            parent.add_exception(error, stacktrace.get_stacktrace())
        parent.add_exception(KeyError("second"), [])
        return xray_recorder.current_subsegment().name


@use
def exception_in_a_function() -> None:
    @xray_recorder.capture("failing")
    def failing() -> None:
        raise KeyError("nowhere")

    failing()


@use
def exception_through_levels() -> None:
    with xray_recorder.in_subsegment("outer"), xray_recorder.in_subsegment("inner"):
        raise RuntimeError("deep down")


def http_status(status: Any) -> None:
    with xray_recorder.in_subsegment("api.example.com", namespace="remote") as subsegment:
        subsegment.put_http_meta(http.URL, "https://api.example.com/")
        subsegment.put_http_meta(http.METHOD, "POST")
        subsegment.put_http_meta(http.USER_AGENT, "mine/1.0")
        subsegment.put_http_meta(http.STATUS, status)


@use
def http_404() -> None:
    http_status(404)


@use
def http_calls() -> None:
    for status in (200, "429", 503):
        http_status(status)
    with xray_recorder.in_subsegment("api.example.com", namespace="remote") as subsegment:
        subsegment.put_http_meta("colour", "blue")
        subsegment.put_http_meta(http.METHOD, None)


@use
def sql() -> None:
    with xray_recorder.in_subsegment("orders@db.example.com", namespace="remote") as subsegment:
        subsegment.set_sql({"url": "postgresql://db.example.com", "database_type": "postgresql", "user": "ada",
                            "sanitized_query": "select * from orders where id = ?"})  # fmt: skip


@use
def traced_connection() -> Any:
    class Cursor:
        def execute(self, query: str, *args: Any) -> str:
            return f"{query} {args}"

        def close(self) -> None:
            pass

    class Connection:
        def cursor(self) -> Cursor:
            return Cursor()

    connection = XRayTracedConn(Connection(), {"name": "orders@db", "database_type": "mysql", "user": "ada"})
    cursor = connection.cursor()
    return cursor.execute("select ?", 1)


@use
def left_open() -> None:
    xray_recorder.begin_subsegment("left open")


@use
def without_sampling() -> Any:
    with xray_recorder.in_subsegment("seen"):
        unseen = xray_recorder.begin_subsegment_without_sampling("unseen")
        with xray_recorder.in_subsegment("below unseen") as below:
            sampled = [unseen.sampled, below.sampled]
        xray_recorder.end_subsegment()
    return sampled


@use
def segment_by_hand() -> Any:
    segment = xray_recorder.begin_segment("mine")
    with xray_recorder.in_subsegment("inside"):
        pass
    xray_recorder.end_segment()
    with xray_recorder.in_segment("mine"), xray_recorder.in_subsegment("inside"):
        return [segment.name, xray_recorder.is_sampled()]


@use
def current_segment() -> Any:
    segment = xray_recorder.current_segment()
    with xray_recorder.in_subsegment("inside") as subsegment:
        return [segment.trace_id == subsegment.trace_id, subsegment.parent_segment.trace_id == segment.trace_id,
                xray_recorder.get_trace_entity() is subsegment, segment.sampled]  # fmt: skip


@use
def configured() -> Any:
    xray_recorder.configure(service="shop", context_missing="LOG_ERROR", streaming_threshold=10, max_trace_back=5)
    with xray_recorder.in_subsegment("configured"):
        return [xray_recorder.service, xray_recorder.streaming_threshold, xray_recorder.max_trace_back]


@use
def missing_context_in_lambda() -> Any:
    xray_recorder.configure(context_missing="RUNTIME_ERROR")
    xray_recorder.clear_trace_entities()
    try:
        with xray_recorder.in_subsegment("after all"):
            return "went on"
    except SegmentNotFoundException:
        return "raised"


@use
def recorder_of_ones_own() -> Any:
    recorder = AWSXRayRecorder()
    with recorder.in_subsegment("own recorder") as subsegment:
        return [isinstance(subsegment, Subsegment), subsegment.sampled]


@use
def record_subsegment() -> Any:
    def describe(**what: Any) -> None:
        what["subsegment"].put_annotation("returned", what["return_value"])

    return xray_recorder.record_subsegment(
        lambda one: one + 1, None, (1,), {}, name="recorded", namespace="remote", meta_processor=describe
    )


def in_thread(work: Any) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@use
def threads() -> None:
    """Each below the handler's subsegment, with levels, and with an error; one knows of no subsegment."""
    with xray_recorder.in_subsegment("parent") as parent:

        def work() -> None:
            xray_recorder.set_trace_entity(parent)
            with xray_recorder.in_subsegment("outer in the thread"), xray_recorder.in_subsegment("inner in the thread"):
                pass
            with suppress(ValueError), xray_recorder.in_subsegment("failing"):
                raise ValueError("in a thread")
            xray_recorder.clear_trace_entities()

        for _ in range(2):
            in_thread(work)
        with xray_recorder.in_subsegment("in the handler"):
            pass


@use
def thread_without_an_entity() -> None:
    def work() -> None:
        with xray_recorder.in_subsegment("in a thread"):
            pass

    in_thread(work)


@use
def thread_pool() -> Any:
    @xray_recorder.capture("captured")
    def double(number: int) -> int:
        return number * 2

    with xray_recorder.in_subsegment("parent") as parent:

        def work(number: int) -> int:
            xray_recorder.set_trace_entity(parent)
            return double(number)

        with ThreadPoolExecutor(1) as pool:
            return list(pool.map(work, range(3)))


@use
async def async_block() -> None:
    async with xray_recorder.in_subsegment_async("outer") as subsegment:
        subsegment.put_annotation("async", True)
        await asyncio.sleep(0)
        async with xray_recorder.in_subsegment_async("inner"):
            await asyncio.sleep(0)


@use
async def async_functions() -> Any:
    """Awaited, in a task, in an executor, and one after the other."""

    @xray_recorder.capture_async("named")
    async def named(one: int) -> list[Any]:
        await asyncio.sleep(0)
        return [one, xray_recorder.current_subsegment().name]

    async with xray_recorder.in_subsegment_async("parent") as parent:

        def work() -> int:
            xray_recorder.set_trace_entity(parent)
            with xray_recorder.in_subsegment("in the executor"):
                return 1

        answers = [await named(1), await asyncio.create_task(named(2)), xray_recorder.current_subsegment().name]
        answers.append(await asyncio.get_running_loop().run_in_executor(None, work))
    for number in range(3):
        async with xray_recorder.in_subsegment_async(f"step {number}"):
            await asyncio.sleep(0)
    return answers


@use
async def async_exception() -> None:
    @xray_recorder.capture_async()
    async def failing() -> None:
        await asyncio.sleep(0)
        raise ValueError("later")

    await failing()


@use
async def async_gather() -> None:
    @xray_recorder.capture_async("child")
    async def child() -> None:
        await asyncio.sleep(0.01)

    async with xray_recorder.in_subsegment_async("parent"):
        await asyncio.gather(child(), child())


@use
def generators() -> Any:
    def inner() -> Any:
        with xray_recorder.in_subsegment("inner"):
            yield 1

    def outer() -> Any:
        with xray_recorder.in_subsegment("outer"):
            yield from inner()

    @xray_recorder.capture("generator")
    def numbers() -> Any:
        yield 1
        yield 2

    with xray_recorder.in_subsegment("parent"):
        return [list(numbers()), list(outer())]


@use
async def async_generator() -> Any:
    async def numbers() -> Any:
        async with xray_recorder.in_subsegment_async("generator"):
            for number in range(2):
                yield number

    return [number async for number in numbers()]


@use
async def async_error_in_the_middle() -> Any:
    async with xray_recorder.in_subsegment_async("parent"):
        try:
            async with xray_recorder.in_subsegment_async("failing"):
                raise ValueError("in the middle")
        except ValueError:
            pass
        return xray_recorder.current_subsegment().name


@use
def order_generator_that_is_closed() -> Any:
    def numbers() -> Any:
        with xray_recorder.in_subsegment("generator"):
            yield 1
            yield 2

    running = numbers()
    first = next(running)
    running.close()
    with xray_recorder.in_subsegment("afterwards"):
        return first


@use
def order_threads_at_once() -> None:
    begun, ended = threading.Event(), threading.Event()
    with xray_recorder.in_subsegment("parent") as parent:

        def first() -> None:
            xray_recorder.set_trace_entity(parent)
            with xray_recorder.in_subsegment("longer"):
                begun.set()
                ended.wait(10)

        def second() -> None:
            begun.wait(10)
            xray_recorder.set_trace_entity(parent)
            with xray_recorder.in_subsegment("in between"):
                pass
            ended.set()

        working = [threading.Thread(target=work) for work in (first, second)]
        for thread in working:
            thread.start()
        for thread in working:
            thread.join()


@use
async def order_async_timeout() -> Any:
    @xray_recorder.capture_async("too long")
    async def work() -> None:
        await asyncio.sleep(10)

    async with xray_recorder.in_subsegment_async("parent"):
        try:
            await asyncio.wait_for(work(), 0.01)
        except asyncio.TimeoutError:
            return "gave up"


@use
def modules_patched() -> Any:
    patch(["own_module"])
    answers = [own_module.double(2), own_module.Thing(3).value()]
    patch(["there_is_no_such_module"])
    return answers


@use
def headers() -> Any:
    found = TraceHeader.from_header_str(
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;a=b"
    )
    built = construct_xray_header({"X-Amzn-Trace-Id": found.to_header_str()})
    with xray_recorder.in_subsegment("calling", namespace="remote") as subsegment:
        sent: dict[str, str] = {}
        inject_trace_header(sent, subsegment)
        given = TraceHeader.from_header_str(sent["X-Amzn-Trace-Id"])
        return [found.root, found.parent, found.sampled, found.data, built.to_header_str(), given.sampled,
                given.root == subsegment.trace_id, given.parent == subsegment.id,
                TraceHeader.from_header_str("nonsense").to_header_str(), strip_url("https://example.com/a?b=c"),
                get_hostname("https://example.com/a"), get_hostname(None)]  # fmt: skip


@use
def switched_off() -> Any:
    aws_xray_sdk.global_sdk_config.set_sdk_enabled(False)
    try:
        with xray_recorder.in_subsegment("unseen") as subsegment:
            subsegment.put_annotation("key", "value")
            subsegment.put_metadata("key", "value")
            xray_recorder.put_annotation("key", "value")
        return [aws_xray_sdk.global_sdk_config.sdk_enabled(), subsegment.sampled]
    finally:
        aws_xray_sdk.global_sdk_config.set_sdk_enabled(True)


@use
def streamed() -> None:
    xray_recorder.configure(streaming_threshold=5)
    with xray_recorder.in_subsegment("many"):
        for number in range(40):
            with xray_recorder.in_subsegment(f"part {number}"):
                pass


def served(name: str | None, make: Any, ask: Any) -> Any:
    """A request to an app of a framework, as an adapter of a handler hands it on."""
    xray_recorder.configure(service=name)
    try:
        return ask(make())
    finally:
        xray_recorder.service = None


def flask_app() -> Any:
    import flask
    from aws_xray_sdk.ext.flask.middleware import XRayMiddleware

    app = flask.Flask("shop")
    XRayMiddleware(app, xray_recorder)

    @app.route("/orders/<key>")
    def order(key: str) -> Any:
        with xray_recorder.in_subsegment("read"):
            return {"key": key} if key != "none" else ({}, 404)

    @app.route("/fails")
    def fails() -> Any:
        raise ValueError("refused")

    return app.test_client()


@use
def flask_names_by_host() -> Any:
    from aws_xray_sdk.core.models.default_dynamic_naming import DefaultDynamicNaming

    xray_recorder.configure(dynamic_naming=DefaultDynamicNaming("*.example.com", "other"))
    try:
        hosts = ("http://shop.example.com", "http://localhost")
        return [flask_app().get("/orders/1", base_url=host).status_code for host in hosts]
    finally:
        xray_recorder.dynamic_naming = None


def bottle_app() -> Any:
    import bottle
    from aws_xray_sdk.ext.bottle.middleware import XRayMiddleware

    app = bottle.Bottle(catchall=False)
    app.install(XRayMiddleware(xray_recorder))

    @app.route("/orders")
    def orders() -> Any:
        return {"orders": []}

    @app.route("/fails")
    def fails() -> Any:
        raise ValueError("refused")

    return app


def bottle_ask(path: str) -> Any:
    from wsgiref.util import setup_testing_defaults

    def ask(app: Any) -> Any:
        environ: dict[str, Any] = {"PATH_INFO": path, "HTTP_USER_AGENT": "mine/1", "REMOTE_ADDR": "203.0.113.9"}
        setup_testing_defaults(environ)
        answered: list[Any] = []
        body = b"".join(app(environ, lambda status, *_: answered.append(status)))
        return [answered, body.decode()]

    return ask


def django_client() -> Any:
    import sys
    from types import ModuleType

    import django
    from django.conf import settings
    from django.http import JsonResponse
    from django.urls import path

    def orders(request: Any) -> Any:
        return JsonResponse({"orders": []})

    def fails(request: Any) -> Any:
        raise ValueError("refused")

    if not settings.configured:
        urls = ModuleType("shop_urls")
        urls.urlpatterns = [path("orders", orders), path("fails", fails)]  # type: ignore[attr-defined]
        sys.modules["shop_urls"] = urls
        settings.configure(
            ALLOWED_HOSTS=["*"],
            MIDDLEWARE=["aws_xray_sdk.ext.django.middleware.XRayMiddleware"],
            ROOT_URLCONF="shop_urls",
            XRAY_RECORDER={"AWS_XRAY_TRACING_NAME": "shop"},
        )
        django.setup()
    from django.test import Client

    return Client(raise_request_exception=False)


@use
def patterns_and_messages() -> Any:
    from aws_xray_sdk.core.utils.search_pattern import wildcard_match
    from aws_xray_sdk.core.utils.sqs_message_helper import SqsMessageHelper

    pairs = [("a*c", "abbc"), ("a?c", "abc"), ("a?c", "ac"), ("[a]*", "[A]b"), ("*", ""), (None, "a")]
    messages = [{"attributes": {"AWSTraceHeader": "Root=1-a;Sampled=1"}}, {"attributes": {}}]
    return [[wildcard_match(*one) for one in pairs], [SqsMessageHelper.isSampled(one) for one in messages]]


@use
def samplers_and_plugins() -> Any:
    from aws_xray_sdk.core.plugins import ec2_plugin, ecs_plugin
    from aws_xray_sdk.core.sampling.local.sampler import LocalSampler

    xray_recorder.configure(sampler=LocalSampler())
    with xray_recorder.in_subsegment("sampled by Lambda"):
        return [ec2_plugin.SERVICE_NAME, ec2_plugin.ORIGIN, ecs_plugin.SERVICE_NAME, ecs_plugin.ORIGIN]


REQUESTS = {
    "flask_request_not_found": (flask_app, lambda client: client.get("/orders/none").status_code),
    "flask_request_that_fails": (flask_app, lambda client: client.get("/fails").status_code),
    "bottle_request": (bottle_app, bottle_ask("/orders")),
    "bottle_request_that_fails": (bottle_app, bottle_ask("/fails")),
    "django_request": (django_client, lambda client: client.get("/orders", HTTP_USER_AGENT="mine/1").status_code),
    "django_request_that_fails": (django_client, lambda client: client.get("/fails").status_code),
}
USES |= {name: partial(served, "shop", *parts) for name, parts in REQUESTS.items()}


@use
def flask_request() -> Any:
    def ask(client: Any) -> Any:
        answer = client.get("/orders/1?x=1", headers={"User-Agent": "mine/1", "X-Forwarded-For": "203.0.113.9"})
        return [answer.status_code, answer.json, answer.headers["X-Amzn-Trace-Id"][:5]]

    return served("shop", flask_app, ask)
