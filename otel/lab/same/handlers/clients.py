"""Clients of HTTP as libraries and large applications set them up."""

import asyncio
import concurrent.futures
import contextlib
import gc
import os
import urllib.request
import weakref

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

HTTP = f"{os.environ['PEER']}/http"
HOST, PORT = os.environ["PEER"].removeprefix("http://").split(":")


def tried(call, *args, **kwargs):
    """The answer, or the names of the error and its causes."""
    try:
        return call(*args, **kwargs)
    except Exception as error:
        return [type(one).__name__ for one in chain(error)]


def chain(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def retried_by_adapter(event, context):
    session, seen = requests.Session(), []
    retries = Retry(total=2, status_forcelist=[503], backoff_factor=0.001)
    session.mount("http://", HTTPAdapter(max_retries=retries, pool_maxsize=1, pool_block=True))
    session.hooks["response"].append(lambda answer, *_, **more: seen.append([answer.status_code, sorted(more)]))
    refused = tried(session.get, f"{HTTP}/status/503", timeout=5)
    return [refused, session.get(f"{HTTP}/fine", timeout=5).json(), seen]


def body_that_fails(event, context):
    def chunks():
        yield b"one"
        raise KeyError("mine")

    return tried(requests.post, f"{HTTP}/up", data=chunks(), timeout=5)


class Signed(requests.auth.AuthBase):
    """Signs the headers it sees, and asks again after a 401."""

    def __call__(self, request):
        names = sorted(name.lower() for name in request.headers)
        request.headers["X-Signed"] = " ".join(name for name in names if name != "x-amzn-trace-id")
        request.register_hook("response", self.again)
        return request

    def again(self, answer, **more):
        if answer.status_code != 401 or "X-Again" in answer.request.headers:
            return answer
        answer.close()
        request = answer.request.copy()
        request.headers["X-Again"] = "1"
        second = answer.connection.send(request, **more)
        second.history.append(answer)
        return second


def authenticated_again(event, context):
    answer = requests.get(f"{HTTP}/status/401", auth=Signed(), timeout=5)
    return [answer.status_code, len(answer.history), answer.request.headers["X-Signed"]]


def call_in_a_hook(event, context):
    def hook(answer, *_, **__):
        if not answer.url.endswith("inner"):
            requests.get(f"{HTTP}/aside/inner", timeout=5)  # inside of the call, so not a call of its own

    return requests.get(f"{HTTP}/outer", hooks={"response": hook}, timeout=5).status_code


def freed(event, context):
    """Nothing of ours keeps an answer or a session."""
    session = requests.Session()
    answer = session.get(f"{HTTP}/freed", timeout=5)
    references = [weakref.ref(one) for one in (session, answer, answer.request)]
    del session, answer
    gc.collect()
    return [one() is None for one in references]


def session_in_threads(event, context):
    session = requests.Session()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        calls = {pool.submit(session.get, f"{HTTP}/{what}", timeout=5): what for what in ("a", "reset", "b")}
        done = concurrent.futures.as_completed(calls)
        found = {calls[one]: str(type(one.exception() or one.result()).__name__) for one in done}
    return sorted(found.items())


def redirects_and_retries(event, context):
    manager = urllib3.PoolManager(retries=Retry(3, status_forcelist=[500], backoff_factor=0, raise_on_status=False))
    failed = manager.request("GET", f"{HTTP}/status/500", redirect=False)
    moved = manager.request("GET", f"{HTTP}/redirect")
    return [failed.status, len(failed.retries.history), [one.redirect_location for one in moved.retries.history]]


class Counted(urllib3.connection.HTTPConnection):
    made = 0

    def connect(self):
        Counted.made += 1
        return super().connect()


class CountingPool(urllib3.HTTPConnectionPool):
    ConnectionCls = Counted


def own_connection(event, context):
    pool = CountingPool(HOST, int(PORT))
    return [pool.request("GET", "/http/1").status, pool.request("GET", "/http/2").status, Counted.made]


def streamed_by_pool(event, context):
    manager = urllib3.PoolManager()
    with contextlib.closing(manager.request("GET", f"{HTTP}/large", preload_content=False)) as answer:
        return [sum(map(len, answer.stream(4096))), len(manager.pools)]


def retrieved(event, context):
    class Own(urllib.request.HTTPHandler):
        def http_open(self, request):
            request.add_unredirected_header("X-Mine", "1")
            return super().http_open(request)

    opener = urllib.request.build_opener(Own, urllib.request.HTTPCookieProcessor())
    urllib.request.install_opener(opener)
    steps = []
    _, headers = urllib.request.urlretrieve(f"{HTTP}/large", "/tmp/large", lambda *step: steps.append(step))
    with urllib.request.urlopen(urllib.request.Request(f"{HTTP}/gone", method="DELETE"), timeout=5) as answer:
        return [len(steps), headers["Content-Type"], answer.status]


def httpx_hooks_and_flow(event, context):
    import httpx

    class Flow(httpx.Auth):
        def auth_flow(self, request):
            request.headers["X-Token"] = "1"
            answer = yield request
            if answer.status_code == 401:
                request.headers["X-Token"] = "2"
                yield request

    seen = []
    hooks = {
        "request": [lambda request: seen.append(sorted(set(request.headers) - {"x-amzn-trace-id"}))],
        "response": [lambda answer: seen.append(answer.status_code)],
    }
    with httpx.Client(event_hooks=hooks, auth=Flow(), transport=httpx.HTTPTransport(retries=1)) as client:
        refused = client.get(f"{HTTP}/status/401")
        uploaded = client.post(f"{HTTP}/up", files={"f": ("n.txt", b"data")}, data={"k": "v"})
    return [refused.request.headers["X-Token"], uploaded.status_code, seen]


def httpx_cancelled(event, context):
    import httpx

    async def main():
        async with httpx.AsyncClient(timeout=5) as client:
            task = asyncio.create_task(client.get(f"{HTTP}/slow"))
            await asyncio.sleep(0.05)
            task.cancel()
            found = await asyncio.gather(task, client.get(f"{HTTP}/reset"), return_exceptions=True)
            return [type(one).__name__ for one in found]

    return asyncio.run(main())


def by_httpx2(event, context):
    import httpx2

    async def main():
        async with httpx2.AsyncClient() as client:
            return (await client.get(f"{HTTP}/awaited")).status_code

    return [asyncio.run(main()), httpx2.get(f"{HTTP}/direct").status_code]


def httpx2_as_httpx(event, context):
    """It refuses to stand in for a library that is imported already."""
    import httpx2

    httpx2.alias_httpx()
    import httpx

    return [httpx is httpx2, httpx.get(f"{HTTP}/alias").status_code]


def httpx_event_hooks(event, context):
    import httpx

    seen = []
    hooks = {"request": [lambda request: seen.append([request.method, request.headers["x-own"]])],
             "response": [lambda response: seen.append(response.status_code)]}  # fmt: skip
    with httpx.Client(event_hooks=hooks, headers={"x-own": "1"}, base_url=HTTP, follow_redirects=True) as client:
        sent = client.send(client.build_request("POST", "/post", json={"a": 1}), stream=True)
        return [client.get("/redirect").status_code, len(sent.read()) > 0, seen]


def aiohttp_trace_config(event, context):
    import aiohttp

    seen = []

    async def start(session, own, params):
        own.number = len(seen)
        seen.append(params.method)

    async def end(session, own, params):
        seen.append([own.number, params.response.status])

    async def calls():
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(start)
        trace.on_request_end.append(end)
        async with aiohttp.ClientSession(trace_configs=[trace], connector=aiohttp.TCPConnector(limit=2)) as session:
            async with session.get(f"{HTTP}/get", params={"a": "1"}) as one:
                await one.json()
            async with session.post(f"{HTTP}/post", json={"a": 1}) as one:
                return one.status

    return [asyncio.run(calls()), seen]


def retried_by_result(event, context):
    import tenacity

    @tenacity.retry(
        stop=tenacity.stop_after_attempt(3),
        retry=tenacity.retry_if_result(lambda status: status == 503),
        retry_error_callback=lambda state: ["gave up", state.attempt_number],
    )
    def call():
        return requests.get(f"{HTTP}/status/503", timeout=10).status_code

    return [call(), call.statistics["attempt_number"]]
