"""The HTTP server under every local part: bodies, connections, and their end."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from lambda_latency.http import Client, Handler, Server, request, reset, wait_for_hangup
from tests.local.calls import PATIENCE, call


class Echo(Handler):
    """Answers with the body of the request and the port it came from."""

    def do_POST(self) -> None:
        self.answer(201, self.body(), {"X-Port": str(self.client_address[1])})


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that echoes."""
    with closing(Server(Echo)) as running:
        yield running


def _raw(server: Server, request: bytes) -> bytes:
    """All that comes back for these bytes until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def test_it_listens_on_the_loopback_alone(server: Server) -> None:
    """Nobody else on the network can reach what runs on the laptop."""
    assert (server.server_address[0], server.address) == ("127.0.0.1", f"127.0.0.1:{server.port}")


class Object(Handler):
    """Says how long the body would be."""

    def do_HEAD(self) -> None:
        self.answer(200, b"", {"Content-Length": "11", "ETag": "x"})


def test_an_answer_to_head_has_the_length_of_what_get_would_answer() -> None:
    """S3's HeadObject tells the size of an object so."""
    with closing(Server(Object)) as running:
        text = _raw(running, b"HEAD / HTTP/1.1\r\n\r\n").decode()
    assert text == "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nETag: x\r\n\r\n"


@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_a_body_with_a_length_is_read_whole(server: Server, size: int) -> None:
    """The whole body, and nothing after it."""
    body = b"x" * size
    reply = call(server.port, "POST", "/", body)
    assert (reply.status, reply.body == body, reply.headers["Content-Length"]) == (201, True, str(size))


def test_a_client_that_asks_first_is_told_to_go_on_at_once(server: Server) -> None:
    """boto3 waits for this answer up to 1 s before it sends an object to S3."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert connection.recv(65536).endswith(b"hello")


def test_a_body_in_chunks_is_read_whole(server: Server) -> None:
    """Chunk extensions and trailers are passed over, and the next request on the connection is found."""
    chunked = (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"
        b"5;why=not\r\nhello\r\nC\r\n, big\r\nworld\r\n0\r\nDigest: 1\r\nMore: 2\r\n\r\n"
    )
    after = b"POST / HTTP/1.1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nafter"
    answers = _raw(server, chunked + after)
    bodies = [answer.split(b"\r\n\r\n")[1] for answer in answers.split(b"HTTP/1.1 201 Created\r\n")[1:]]
    assert bodies == [b"hello, big\r\nworld", b"after"]


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["chunk", "length", "cut"],
)
def test_a_broken_request_ends_its_connection_alone(server: Server, request_: bytes) -> None:
    """A client that speaks no HTTP gets no answer, and others are served."""
    assert (_raw(server, request_), call(server.port, "POST", "/", b"next").body) == (b"", b"next")


class Heads(Handler):
    """Answers with what it read of the head."""

    def do_GET(self) -> None:
        self.answer(200, repr([self.path, *self.headers.items()]).encode())


def _read_as(head: bytes) -> bytes:
    """What a server reads of a request's head, or the first line of its refusal."""
    with closing(Server(Heads)) as running:
        first, _, rest = _raw(running, head).partition(b"\r\n")
    return rest.partition(b"\r\n\r\n")[2] if first == b"HTTP/1.1 200 OK" else first


@pytest.mark.parametrize(
    ("head", "read"),
    [
        (
            b"GET /a?b HTTP/1.1\r\nx-One: \t1:2 \t\r\nX-ONE:\nEmpty:\r\n\r\n",
            b"['/a?b', ('x-One', '1:2'), ('X-ONE', ''), ('Empty', '')]",
        ),
        (b"GET /\xc3\xbc HTTP/1.1\r\nName: \xfc\r\n\r\n", "['/\xc3\xbc', ('Name', '\xfc')]".encode()),
        (b"GET //host/a HTTP/1.1\r\n\r\n", b"['/host/a']"),
        (b"GET / HTTP/1.0\r\nA: b\r\n\r\n", b"['/', ('A', 'b')]"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100 + b"\r\n", f"['/', {', '.join([repr(('A', 'b'))] * 100)}]".encode()),
    ],
    ids=["fields", "bytes", "two slashes", "HTTP/1.0", "many"],
)
def test_the_fields_of_a_head_are_read_as_they_are(head: bytes, read: bytes) -> None:
    """In their order and spelling, each as often as it comes, without the space around a value."""
    assert _read_as(head) == read


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
    ],
    ids=["space", "folded", "return", "colon", "long", "many"],
)
def test_a_head_that_could_be_read_in_two_ways_is_refused(head: bytes, status: int) -> None:
    """A proxy before this server, or behind it, might read another field."""
    assert int(_read_as(head).split()[1]) == status


def test_a_connection_is_kept(server: Server) -> None:
    """Several requests come over one connection."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, PATIENCE)) as client:
        ports = set()
        for number in range(5):
            client.request("POST", "/", str(number))
            response = client.getresponse()
            ports.add((response.headers["X-Port"], response.will_close))
            assert response.read() == str(number).encode()
    assert len(ports) == 1
    assert {will_close for _, will_close in ports} == {False}


def test_close_ends_open_connections() -> None:
    """A client with an idle connection sees its end, and nobody listens any more."""
    server = Server(Echo)
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        first = client.recv(65536)
        server.close()
        assert (first[:12], client.recv(65536)) == (b"HTTP/1.1 201", b"")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), PATIENCE)


def test_close_ends_a_request_that_hangs() -> None:
    """A handler that waits for its client is let go, so that no thread is left."""
    entered = threading.Event()
    left = threading.Event()

    class Hanging(Handler):
        def do_POST(self) -> None:
            entered.set()
            wait_for_hangup(self.connection)
            left.set()

    server = Server(Hanging)
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.sendall(b"POST / HTTP/1.1\r\n\r\n")
        assert entered.wait(PATIENCE)
        server.close()
        assert left.wait(PATIENCE)


def test_a_port_in_use_is_an_error_of_the_system(server: Server) -> None:
    """The port that is asked for is taken or nothing is."""
    with pytest.raises(OSError, match="Address already in use"):
        Server(Echo, server.port)


def test_a_hang_ends_when_the_client_gives_up() -> None:
    """What the client still sends does not end it, only the end of the connection."""
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"x" * 100_000)
        waiting = threading.Thread(target=wait_for_hangup, args=(here,))
        waiting.start()
        there.sendall(b"x" * 100_000)
        assert waiting.is_alive()
        there.close()
        waiting.join(PATIENCE)
        assert not waiting.is_alive()


def test_a_reset_is_seen_as_one() -> None:
    """The client does not see an end, but that the connection was reset."""

    class Resetting(Handler):
        def do_POST(self) -> None:
            reset(self.connection)

    with closing(Server(Resetting)) as server, socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            client.recv(1)


class Told(Handler):
    """Says what it received, and from which port; `/cut` promises more than it sends, `/noise` is no HTTP."""

    def do_PUT(self) -> None:
        body = self.body()
        if self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
            self.close_connection = True
        elif self.path == "/noise":
            self.wfile.write(b"SSH-2.0\r\n")
            self.close_connection = True
        else:
            port = str(self.client_address[1])
            self.answer(201, f"{self.path} {self.headers['X-A']} ".encode() + body, {"X-Port": port})


def test_one_request_has_its_whole_answer() -> None:
    """The path with its query as it stands, the headers, the body; the status, headers and body that come back."""
    with contextlib.closing(Server(Told)) as server:
        status, headers, body = request("PUT", f"http://{server.address}/a%2f//?b=c/d", b"hello", {"X-A": "1"})
    assert (status, body, headers["content-length"]) == (201, b"/a%2f//?b=c/d 1 hello", "21")


def test_a_client_keeps_its_connection_and_opens_another_after_an_error() -> None:
    """All errors are of the system, also for an answer that is cut off or is not HTTP."""
    with contextlib.closing(Server(Told)) as server, contextlib.closing(Client(f"http://{server.address}")) as client:
        ports = []
        for target in ("/", "/", "/cut", "/", "/noise", "/"):
            try:
                ports.append(client.request("PUT", target).headers["X-Port"])
            except OSError as error:
                assert isinstance(error.__cause__, http.client.HTTPException)  # noqa: PT017 - in the midst of others
                ports.append(type(error).__name__)
    first, again, cut, second, noise, third = ports
    assert (first == again, cut, noise, len({first, second, third})) == (True, "ConnectionError", "ConnectionError", 3)


def test_nobody_listens() -> None:
    """The system's own error comes through."""
    server = Server(Told)
    server.close()
    with pytest.raises(ConnectionRefusedError):
        request("PUT", f"http://{server.address}/")
