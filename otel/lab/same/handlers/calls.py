"""HTTP by every client."""

import asyncio
import contextlib
import gc
import http.client
import io
import os
import socket
import urllib.error
import urllib.request
import weakref

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

PEER = os.environ["PEER"]
HTTP = f"{PEER}/http"
HOST, PORT = PEER.removeprefix("http://").split(":")
SESSION = requests.Session()
MANAGER = urllib3.PoolManager()


def closed_port():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        return nobody.getsockname()[1]


def tried(call, *args, **kwargs):
    """The answer, or the names of the error and its causes."""
    try:
        return call(*args, **kwargs)
    except Exception as error:
        return [f"{type(one).__module__}.{type(one).__name__}" for one in chain(error)]


def chain(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def get(event, context):
    answer = requests.get(f"{HTTP}/get?token=secret", timeout=10)
    return [answer.status_code, answer.json(), answer.url, sorted(answer.request.headers)[:3]]


def post(event, context):
    answer = requests.post(f"{HTTP}/post", json={"a": 1}, headers={"X-Own": "1"}, timeout=10)
    return [answer.status_code, answer.request.headers["Content-Type"], answer.request.headers["X-Own"]]


def own_tracing_header(event, context):
    """A caller that sends its own headers of traces on purpose."""
    own = {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01", "baggage": "k=v", "tracestate": "x=y"}
    requests.get(f"{HTTP}/own", headers=own, timeout=10)
    urllib3.request("GET", f"{HTTP}/own", headers=own)
    return "ok"


def session(event, context):
    SESSION.headers["X-Session"] = "s"
    return [SESSION.get(f"{HTTP}/{number}", timeout=10).status_code for number in range(3)]


def by_urllib(event, context):
    with urllib.request.urlopen(f"{HTTP}/urllib", timeout=10) as answer:
        return [answer.status, answer.read().decode()]


def by_urllib3(event, context):
    answer = MANAGER.request("GET", f"{HTTP}/urllib3", headers={"X-Own": "1"})
    return [answer.status, answer.data.decode()]


def by_socket(event, context):
    host, port = PEER.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET /http/socket HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return connection.makefile("rb").readline().decode()


def by_httpx(event, context):
    import httpx

    answer = httpx.get(f"{HTTP}/httpx", params={"q": "secret"})
    return [answer.status_code, answer.json(), str(answer.url)[-8:], sorted(answer.request.headers)[:3]]


def httpx_transport(event, context):
    import httpx

    def answer(request):
        return httpx.Response(200, json={"seen": sorted(set(request.headers) - {"x-amzn-trace-id"})})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        return client.get("http://example.invalid/").json()


def httpx_asynchronous(event, context):
    import httpx

    async def go():
        async with httpx.AsyncClient() as client:
            answers = await asyncio.gather(*(client.get(f"{HTTP}/{number}") for number in range(3)))
            return [answer.json()["path"] for answer in answers]

    return asyncio.run(go())


def by_aiohttp(event, context):
    import aiohttp

    async def go():
        async with aiohttp.ClientSession() as client, client.get(f"{HTTP}/aiohttp") as answer:
            return [answer.status, await answer.json()]

    return asyncio.run(go())


def slept_in(event, context):
    """Each call in a timeout of its own."""

    async def go():
        try:
            await asyncio.wait_for(asyncio.to_thread(requests.get, f"{HTTP}/slow", timeout=5), 0.1)
        except asyncio.TimeoutError:
            return "too slow"

    return asyncio.run(go())


class Session(requests.Session):
    def send(self, request, **kwargs):
        answer = super().send(request, **kwargs)
        answer.mine = True
        return answer


def streamed():
    with requests.get(f"{HTTP}/large", stream=True, timeout=10) as answer:
        return sum(len(part) for part in answer.iter_content(1000))


def prepared():
    with requests.Session() as own:
        request = own.prepare_request(requests.Request("GET", f"{HTTP}/prepared"))
        return [own.send(request, timeout=10).status_code, sorted(request.headers)[:2]]


def own_headers_untouched():
    mine = {"X-Own": "1"}
    requests.get(f"{HTTP}/get", headers=mine, timeout=10)
    return mine


def own_xray_header():
    """As many functions forward it by hand."""
    header = {"X-Amzn-Trace-Id": os.environ["_X_AMZN_TRACE_ID"]}
    return requests.get(f"{HTTP}/aside", headers=header, timeout=10).status_code


def redirect():
    answer = requests.get(f"{HTTP}/redirect", timeout=10)
    return [answer.json(), [one.status_code for one in answer.history]]


def urllib_error():
    try:
        urllib.request.urlopen(f"{HTTP}/status/404", timeout=10)
    except urllib.error.HTTPError as error:
        return [error.code, str(error), error.read().decode()]


def by_http_client():
    connection = http.client.HTTPConnection(PEER.removeprefix("http://"), timeout=10)
    connection.request("GET", "/http/client")
    answer = connection.getresponse()
    return [answer.status, answer.read().decode()]


# A GET each: of the three bad addresses, one gets as far as an adapter.
GETS = {
    "not found": lambda: requests.get(f"{HTTP}/status/404", timeout=10).raise_for_status(),
    "unavailable": lambda: requests.get(f"{HTTP}/status/503", timeout=10).reason,
    "refused": lambda: tried(lambda: requests.get(f"http://127.0.0.1:{closed_port()}/", timeout=5)),
    "refused unhandled": lambda: requests.get("http://127.0.0.1:1/", timeout=5),
    "reset": lambda: tried(lambda: requests.get(f"{HTTP}/reset", timeout=5)),
    "too slow": lambda: tried(lambda: requests.get(f"{HTTP}/slow", timeout=0.2)),
    "bad addresses": lambda: [tried(lambda: requests.get(address, timeout=1))
                              for address in ("nonsense", "http://", "ftp://x/y")],
    "subclassed session": lambda: Session().get(f"{HTTP}/sub", timeout=10).mine,
    "streamed": streamed,
    "prepared": prepared,
    "own headers": own_headers_untouched,
    "own tracing header": own_xray_header,
    "redirect": redirect,
    "urllib's error": urllib_error,
    "http.client": by_http_client,
}  # fmt: skip


def got(event, context):
    return GETS[event["get"]]()


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
