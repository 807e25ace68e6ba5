"""HTTP by every client."""

import asyncio
import http.client
import io
import os
import socket
import urllib.error
import urllib.request

import requests
import urllib3

PEER = os.environ["PEER"]
HTTP = f"{PEER}/http"
SESSION = requests.Session()
MANAGER = urllib3.PoolManager()


def closed_port():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        return nobody.getsockname()[1]


def tried(call):
    try:
        call()
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


def own_headers_untouched(event, context):
    mine = {"X-Own": "1"}
    requests.get(f"{HTTP}/get", headers=mine, timeout=10)
    return mine


def own_tracing_header(event, context):
    """A caller that sends its own headers of traces on purpose."""
    own = {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01", "baggage": "k=v", "tracestate": "x=y"}
    requests.get(f"{HTTP}/own", headers=own, timeout=10)
    urllib3.request("GET", f"{HTTP}/own", headers=own)
    return "ok"


def own_xray_header(event, context):
    """As many functions forward it by hand."""
    requests.get(f"{HTTP}/aside", headers={"X-Amzn-Trace-Id": os.environ["_X_AMZN_TRACE_ID"]}, timeout=10)
    return "ok"


def session(event, context):
    SESSION.headers["X-Session"] = "s"
    return [SESSION.get(f"{HTTP}/{number}", timeout=10).status_code for number in range(3)]


def redirect(event, context):
    answer = requests.get(f"{HTTP}/redirect", timeout=10)
    return [answer.json(), [one.status_code for one in answer.history]]


def not_found(event, context):
    requests.get(f"{HTTP}/status/404", timeout=10).raise_for_status()


def unavailable(event, context):
    answer = requests.get(f"{HTTP}/status/503", timeout=10)
    return [answer.status_code, answer.ok, answer.reason]


def refused(event, context):
    port = closed_port()
    return tried(lambda: requests.get(f"http://127.0.0.1:{port}/", timeout=5))


def refused_unhandled(event, context):
    requests.get("http://127.0.0.1:1/", timeout=5)


def reset(event, context):
    return tried(lambda: requests.get(f"{HTTP}/reset", timeout=5))


def too_slow(event, context):
    return tried(lambda: requests.get(f"{HTTP}/slow", timeout=0.2))


def bad_address(event, context):
    return [tried(lambda: requests.get(address, timeout=1)) for address in ("nonsense", "http://", "ftp://x/y")]


def streamed(event, context):
    with requests.get(f"{HTTP}/large", stream=True, timeout=10) as answer:
        return sum(len(part) for part in answer.iter_content(1000))


def uploaded(event, context):
    answer = requests.post(f"{HTTP}/upload", data=(part for part in (b"a", b"b")), timeout=10)
    return answer.status_code


def hooks(event, context):
    seen = []
    requests.get(
        f"{HTTP}/hooks", hooks={"response": lambda answer, *_, **__: seen.append(answer.status_code)}, timeout=10
    )
    return seen


class Adapter(requests.adapters.HTTPAdapter):
    def send(self, request, **kwargs):
        request.headers["X-Adapter"] = "1"
        return super().send(request, **kwargs)


def adapter(event, context):
    with requests.Session() as own:
        own.mount("http://", Adapter(max_retries=urllib3.Retry(2, status_forcelist=[503], backoff_factor=0)))
        return tried(lambda: own.get(f"{HTTP}/status/503", timeout=10))


class Auth(requests.auth.AuthBase):
    def __call__(self, request):
        request.headers["X-Auth"] = "signed " + ",".join(sorted(request.headers))
        return request


def auth(event, context):
    return requests.get(f"{HTTP}/auth", auth=Auth(), timeout=10).status_code


def prepared(event, context):
    with requests.Session() as own:
        request = own.prepare_request(requests.Request("GET", f"{HTTP}/prepared"))
        return [own.send(request, timeout=10).status_code, sorted(request.headers)[:2]]


class Session(requests.Session):
    def send(self, request, **kwargs):
        answer = super().send(request, **kwargs)
        answer.mine = True
        return answer


def subclassed_session(event, context):
    with Session() as own:
        return own.get(f"{HTTP}/sub", timeout=10).mine


def patched_by_user(event, context):
    original = requests.Session.send
    calls = []

    def send(self, request, **kwargs):
        calls.append(request.method)
        return original(self, request, **kwargs)

    requests.Session.send = send
    try:
        requests.get(f"{HTTP}/patched", timeout=10)
    finally:
        requests.Session.send = original
    return calls


def by_urllib(event, context):
    with urllib.request.urlopen(f"{HTTP}/urllib", timeout=10) as answer:
        return [answer.status, answer.read().decode()]


def urllib_request(event, context):
    request = urllib.request.Request(f"{HTTP}/urllib", data=b"x=1", headers={"X-Own": "1"}, method="PUT")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return [answer.status, request.get_method(), request.get_header("X-own")]


def urllib_error(event, context):
    try:
        urllib.request.urlopen(f"{HTTP}/status/404", timeout=10)
    except urllib.error.HTTPError as error:
        return [error.code, str(error), error.read().decode()]


def urllib_opener(event, context):
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    opener.addheaders = [("User-Agent", "own")]
    return opener.open(f"{HTTP}/opener", timeout=10).status


def by_urllib3(event, context):
    answer = MANAGER.request("GET", f"{HTTP}/urllib3", headers={"X-Own": "1"})
    return [answer.status, answer.data.decode()]


def urllib3_retries(event, context):
    return tried(
        lambda: urllib3.PoolManager(retries=urllib3.Retry(1, backoff_factor=0)).request("GET", "http://127.0.0.1:1/")
    )


def urllib3_fields(event, context):
    answer = MANAGER.request("POST", f"{HTTP}/fields", body=io.BytesIO(b"abc"), preload_content=False)
    data = answer.read()
    answer.release_conn()
    return [answer.status, len(data)]


def by_http_client(event, context):
    connection = http.client.HTTPConnection(PEER.removeprefix("http://"), timeout=10)
    connection.request("GET", "/http/client")
    answer = connection.getresponse()
    return [answer.status, answer.read().decode()]


def by_socket(event, context):
    host, port = PEER.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET /http/socket HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return connection.makefile("rb").readline().decode()


def by_httpx(event, context):
    import httpx

    answer = httpx.get(f"{HTTP}/httpx", params={"q": "secret"})
    return [answer.status_code, answer.json(), str(answer.url)[-8:], sorted(answer.request.headers)[:3]]


def httpx_client(event, context):
    import httpx

    seen = []
    with httpx.Client(
        base_url=HTTP, event_hooks={"request": [lambda request: seen.append(sorted(request.headers))]}
    ) as client:
        return [client.get("/one").status_code, client.post("/two", json={}).status_code, len(seen)]


def httpx_error(event, context):
    import httpx

    return [
        tried(lambda: httpx.get("http://127.0.0.1:1/")),
        tried(lambda: httpx.get(f"{HTTP}/status/500").raise_for_status()),
    ]


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


def aiohttp_traced_by_user(event, context):
    import aiohttp

    seen = []

    async def started(*_):
        seen.append("start")

    async def go():
        config = aiohttp.TraceConfig()
        config.on_request_start.append(started)
        async with aiohttp.ClientSession(trace_configs=[config]) as client:
            async with client.post(f"{HTTP}/traced", json={"a": 1}) as answer:
                return [answer.status, seen]

    return asyncio.run(go())


def aiohttp_error(event, context):
    import aiohttp

    async def go():
        async with aiohttp.ClientSession(raise_for_status=True) as client:
            try:
                await client.get(f"{HTTP}/status/500")
            except aiohttp.ClientResponseError as error:
                return [error.status, error.message]

    return asyncio.run(go())


def slept_in(event, context):
    """Each call in a timeout of its own."""

    async def go():
        try:
            await asyncio.wait_for(asyncio.to_thread(requests.get, f"{HTTP}/slow", timeout=5), 0.1)
        except asyncio.TimeoutError:
            return "too slow"

    return asyncio.run(go())
