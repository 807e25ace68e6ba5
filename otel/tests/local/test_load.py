"""The demo's load: the same for the same seed, mixed as it says, and in an order that can be served."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from lambda_latency.http import Handler, Server
from lambda_latency.local.errors import LocalError
from lambda_latency.local.load import LEAD, Call, TimedAnswer, plan_calls, send, warm_up_calls


def _kind(call: Call) -> str:
    if call.method == "GET":
        return "list" if "?" in call.path else "get"
    if call.path != "/orders":
        return "cancel"
    assert call.body is not None
    if call.body["items"][0]["quantity"] == 0:
        return "wrong"
    return "declined" if call.body["payment_method"] == "card-declined" else "create"


def test_the_same_seed_gives_the_same_calls() -> None:
    """A run can be had again; another seed gives another one."""
    assert (plan_calls(200, 1) == plan_calls(200, 1), plan_calls(200, 1) == plan_calls(200, 2)) == (True, False)


@pytest.mark.parametrize("count", [0, 1, 20, 120])
def test_as_many_calls_as_asked_for(count: int) -> None:
    """Not one more, not one less; a shorter run is the beginning of a longer one."""
    assert plan_calls(count, 3) == plan_calls(400, 3)[:count]


def test_the_mix_of_the_default_run() -> None:
    """120 requests with seed 1: so many of each kind."""
    assert Counter(map(_kind, plan_calls(120, 1))) == {
        "create": 62,
        "get": 25,
        "list": 16,
        "cancel": 11,
        "declined": 4,
        "wrong": 2,
    }


def test_the_mix_of_a_long_run() -> None:
    """About half are new orders; a few of those are declined and a few are wrong."""
    kinds = Counter(map(_kind, plan_calls(10_000, 5)))
    shares = {kind: round(kinds[kind] / 100) for kind in kinds}
    assert shares == {"create": 43, "get": 28, "list": 12, "cancel": 12, "declined": 3, "wrong": 3}


def test_only_the_routes_of_the_app_are_called() -> None:
    """The weights of the other calls stay in proportion."""
    routes = ("POST /orders", "GET /orders/{id}")
    kinds = Counter(map(_kind, plan_calls(10_000, 5, routes)))
    shares = {kind: round(kinds[kind] / 100) for kind in kinds}
    assert shares == {"create": 56, "get": 37, "declined": 3, "wrong": 4}
    assert [Counter(map(_kind, batch)) for batch in warm_up_calls(3, 1, routes)] == [{"create": 3}, {"get": 3}]
    assert set(map(_kind, plan_calls(100, 5, routes[:1]))) <= {"create", "declined", "wrong"}


@pytest.mark.parametrize("seed", range(5))
def test_no_order_is_used_before_it_exists(seed: int) -> None:
    """Only orders that were accepted are read or cancelled, at least `LEAD` orders later, and cancelled only once."""
    made: list[str] = []
    cancelled: list[str] = []
    for call in plan_calls(600, seed):
        kind = _kind(call)
        if kind == "create":
            assert call.body is not None
            made.append(call.body["order_id"])
        elif kind in ("get", "cancel"):
            order = call.path.split("/")[2]
            assert order in made[: len(made) - LEAD]
            cancelled += [order] if kind == "cancel" else []
    assert (len(cancelled) > 20, len(set(cancelled)), len(set(made))) == (True, len(cancelled), len(made))


def test_a_warm_up_reaches_each_route_as_often_as_asked() -> None:
    """One batch a route, the orders' own first: each can be sent at once."""
    batches = warm_up_calls(3, 1)
    assert [Counter(map(_kind, batch)) for batch in batches] == [{"create": 3}, {"get": 3}, {"list": 3}, {"cancel": 3}]
    assert [call.path for call in batches[1] + batches[3]] == [
        "/orders/warm-up-0",
        "/orders/warm-up-1",
        "/orders/warm-up-2",
        "/orders/warm-up-0/cancel",
        "/orders/warm-up-1/cancel",
        "/orders/warm-up-2/cancel",
    ]


class Mirror(Handler):
    """Says what it was asked, and from which port."""

    def do_GET(self) -> None:
        self._mirror()

    def do_POST(self) -> None:
        self._mirror()

    def _mirror(self) -> None:
        body = self.body().decode()
        kind = self.headers.get("Content-Type")
        said = [self.command, self.path, body, kind, self.client_address[1]]
        self.answer(200 if self.command == "GET" else 201, json.dumps(said).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that says what it was asked."""
    with closing(Server(Mirror)) as running:
        yield running


def test_calls_are_sent_as_planned_over_one_connection(server: Server) -> None:
    """Method, path, JSON body; one caller keeps the order and its connection; each answer is told as it comes."""
    calls = [Call("POST", "/orders", {"a": 1}), Call("GET", "/orders?x=1"), Call("POST", "/orders/1/cancel", {})]
    reported: list[TimedAnswer] = []
    answers = send(f"http://{server.address}", calls, 1, reported.append)
    said = [json.loads(answer.body) for answer in answers]
    ports = {line.pop() for line in said}
    assert (said, len(ports), reported) == (
        [
            ["POST", "/orders", '{"a": 1}', "application/json"],
            ["GET", "/orders?x=1", "", None],
            ["POST", "/orders/1/cancel", "{}", "application/json"],
        ],
        1,
        answers,
    )
    assert [(answer.call, answer.status) for answer in answers] == list(zip(calls, [201, 200, 201], strict=True))
    assert all(0 < answer.ms < 20_000 for answer in answers)


def test_several_callers_send_each_call_once(server: Server) -> None:
    """Four at once leave none out and send none twice."""
    calls = plan_calls(200, 1)
    answers = send(f"http://{server.address}", calls, 4, lambda _: None)
    assert Counter(repr(answer.call) for answer in answers) == Counter(map(repr, calls))


def test_a_gateway_that_is_gone_is_told() -> None:
    """The message names the address and where to look; nothing waits for answers that cannot come."""
    with closing(Server(Mirror)) as server:
        pass
    url = f"http://{server.address}"
    with pytest.raises(LocalError) as raised:
        send(url, plan_calls(50, 1), 4, lambda _: None)
    assert str(raised.value) == (
        f"no answer from the gateway at {url}: ConnectionRefusedError(111, 'Connection refused')\n"
        "  out/system.log may say why"
    )
