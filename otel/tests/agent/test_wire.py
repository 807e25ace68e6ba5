"""The wire: both eras of the protocol, malformed lines, notes, cancelled calls, the end of the input."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambda_latency.agent.budget import tokens
from lambda_latency.agent.server import McpServer
from lambda_latency.agent.tools import TOOLS, Cancelled, Tool
from lambda_latency.agent.wire import LONGEST, Wire
from lambda_latency.trace import dump_line
from lambda_latency.version import VERSION
from tests.agent.asking import request, served
from tests.latency.generated import few

META = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}
PING = request(99, "ping")
ALIVE = {"jsonrpc": "2.0", "id": 99, "result": {}}
MALFORMED = (
    b"garbage", b"[]", b"{}", b"null", b"1", b'"x"', b"true", b"[1,2]", b"{", b"}", b'{"a":', b"\xff\xfe", b"\x00",
    b"\xef\xbb\xbf{", b"[" * 200_000, b'{"a":' * 100_000, b"x" * (LONGEST + 1), b"{" + b" " * (3 * LONGEST),
    b'{"jsonrpc":"2.0","id":1}', b'{"id":2,"method":7}', b'{"id":3,"method":null}', b'{"id":4,"method":["ping"]}',
    b'{"id":{"a":1},"method":"ping"}', b'{"id":[1],"method":"ping"}', b'{"id":null,"method":"ping"}',
    b'{"id":true,"method":"ping"}', b'{"id":1.5,"method":"ping"}', b'{"id":5,"method":"nope"}',
    b'{"id":6,"method":""}', b'{"id":7,"method":"tools/call"}', b'{"id":8,"method":"tools/call","params":[]}',
    b'{"id":9,"method":"tools/call","params":{"name":5}}',
    b'{"id":10,"method":"tools/call","params":{"name":"why_slow","arguments":[1]}}',
    b'{"id":11,"method":"tools/call","params":{"name":"why_slow","arguments":{"source":5}}}',
    b'{"id":12,"method":"tools/call","params":{"name":"why_slow","arguments":{"sauce":"x"}}}',
    b'{"id":13,"method":"tools/call","params":{"name":"list_requests","arguments":{"limit":1e400}}}',
    b'{"id":14,"method":"tools/call","params":{"name":"list_requests","arguments":{"limit":NaN}}}',
    b'{"id":15,"method":"prompts/get","params":{"name":"other"}}',
    b'{"id":16,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"1999-01-01"}}}',
    b'{"id":17,"method":"initialize","params":{"protocolVersion":{}}}',
    b'{"id":"\\ud800","method":"nope"}',
)  # fmt: skip


def session(lines: bytes, answer: Callable[..., str]) -> list[dict[str, Any]]:
    """What a server sends whose tools are one function."""
    out = io.BytesIO()
    McpServer(Wire(io.BytesIO(lines), out), TOOLS, answer).run()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def said(text: str) -> Callable[..., str]:
    """A function that answers this."""
    return lambda *_: text


def test_the_list_of_tools_is_small(tmp_path: Path) -> None:
    """An assistant reads it before every conversation: at most 1,500 tokens."""
    [listed] = served(tmp_path, request(1, "tools/list"))
    assert tokens(json.dumps(listed["result"]["tools"], separators=(",", ":"))) <= 1_500


def test_a_client_of_2026_needs_no_session(tmp_path: Path) -> None:
    """Each result says that it is complete, and who answers; a list says how long it may be kept."""
    discovered, called = served(
        tmp_path, request(1, "server/discover", **META), request(2, "tools/call", name="why_slow", arguments={}, **META)
    )
    server = {"io.modelcontextprotocol/serverInfo": {"name": "lambda-latency", "version": VERSION}}
    assert {key: value for key, value in discovered["result"].items() if key != "instructions"} == {
        "resultType": "complete",
        "_meta": server,
        "supportedVersions": ["2026-07-28"],
        "capabilities": {"tools": {}, "prompts": {}},
        "ttlMs": 3_600_000,
        "cacheScope": "public",
    }
    assert called["result"] == {
        "resultType": "complete",
        "_meta": server,
        "content": [
            {
                "type": "text",
                "text": "there is no trace file below the roots\n  lambda-latency serve or demo writes one",
            }
        ],
        "isError": True,
    }


@pytest.mark.parametrize(
    ("requested", "agreed"),
    [("2025-11-25", "2025-11-25"), ("2024-11-05", "2024-11-05"), ("2099-01-01", "2025-11-25"), (None, "2025-11-25")],
)
def test_an_older_client_begins_a_session(tmp_path: Path, requested: object, agreed: str) -> None:
    """With its version, where it is known; results have no fields of the other era."""
    initialized, listed = served(
        tmp_path,
        request(1, "initialize", protocolVersion=requested, capabilities={}, clientInfo={"name": "x", "version": "1"}),
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n',
        request(2, "tools/list"),
    )
    assert initialized["result"]["protocolVersion"] == agreed
    assert sorted(initialized["result"]) == ["capabilities", "instructions", "protocolVersion", "serverInfo"]
    assert [tool["name"] for tool in listed["result"]["tools"]] == list(TOOLS)
    assert sorted(listed["result"]) == ["tools"]


def test_a_version_of_no_era_is_refused(tmp_path: Path) -> None:
    """With the versions that are known."""
    meta = {"io.modelcontextprotocol/protocolVersion": "2031-01-01"}
    [refused] = served(tmp_path, request(1, "tools/list", _meta=meta))
    assert refused["error"] == {
        "code": -32022,
        "message": "this protocol version is not supported",
        "data": {"supported": ["2026-07-28"], "requested": "2031-01-01"},
    }


def test_the_prompt_names_the_tools(tmp_path: Path) -> None:
    """And the source that was given."""
    listed, got = served(
        tmp_path,
        request(1, "prompts/list"),
        request(2, "prompts/get", name="why_slow", arguments={"source": "out/traces.jsonl"}),
    )
    assert [prompt["name"] for prompt in listed["result"]["prompts"]] == ["why_slow"]
    [message] = got["result"]["messages"]
    assert message["content"]["text"].startswith("Call why_slow with source 'out/traces.jsonl'.")


@pytest.mark.parametrize("line", MALFORMED, ids=lambda text: text[:40].decode("latin-1"))
def test_a_malformed_line_is_answered_and_the_server_lives(line: bytes) -> None:
    """One answer, then that of a ping."""
    answers = session(line + b"\n" + PING, said("fine"))
    assert len(answers) == 2
    assert ALIVE in answers
    [refusal] = [answer for answer in answers if answer != ALIVE]
    assert "error" in refusal or refusal["result"].get("isError") or "protocolVersion" in refusal["result"]


@pytest.mark.parametrize("end", [b"\r\n", b" \r\n", b"\n", b"\r\n\r\n"])
def test_line_ends_of_windows_are_read(end: bytes) -> None:
    """And empty lines passed over."""
    assert session(PING.rstrip(b"\n") + end + PING.rstrip(b"\n") + end, said("")) == [ALIVE, ALIVE]


def test_what_is_no_request_gets_no_answer() -> None:
    """A notification, and an answer to nothing that was asked."""
    lines = b'{"jsonrpc":"2.0","method":"notifications/x"}\n{"jsonrpc":"2.0","id":1,"result":{}}\n'
    assert session(lines, said("")) == []


def test_a_ping_is_answered_during_a_call() -> None:
    """The call ends when the ping was answered, which ends the input."""
    read, write = os.pipe()
    out = io.BytesIO()
    pinged = threading.Event()

    def answer(*_: object) -> str:
        os.write(write, PING)
        assert pinged.wait(20)
        os.close(write)
        return "late"

    class Out(io.BytesIO):
        def write(self, line: Any) -> int:
            if json.loads(line) == ALIVE:
                pinged.set()
            return out.write(line)

    os.write(write, request(1, "tools/call", name="why_slow", arguments={}))
    with os.fdopen(read, "rb") as pipe:
        McpServer(Wire(pipe, Out()), TOOLS, answer).run()
    pong, second = map(json.loads, out.getvalue().splitlines())
    assert pong == ALIVE
    assert second["result"]["content"] == [{"type": "text", "text": "late"}]


def test_a_cancelled_call_gets_no_answer_and_the_next_one_does() -> None:
    """Whatever the id of the cancel is."""
    read, write = os.pipe()
    out = io.BytesIO()

    def answer(_tool: Tool, arguments: dict[str, Any], _tell: object, is_gone: Callable[[], bool]) -> str:
        if arguments == {"source": "second"}:
            os.close(write)
            return "second"
        no_ids: list[object] = [[1], {}, "1"]
        for cancelled in (*no_ids, 1):
            note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": cancelled}}
            os.write(write, json.dumps(note).encode() + b"\n")
        os.write(write, request(2, "tools/call", name="why_slow", arguments={"source": "second"}))
        while not is_gone():
            pass
        raise Cancelled

    os.write(write, request(1, "tools/call", name="why_slow", arguments={}))
    with os.fdopen(read, "rb") as pipe:
        McpServer(Wire(pipe, out), TOOLS, answer).run()
    [only] = map(json.loads, out.getvalue().splitlines())
    assert (only["id"], only["result"]["content"][0]["text"]) == (2, "second")


def test_progress_is_told_to_who_asked_for_it() -> None:
    """And to nobody else."""

    def answer(_tool: object, _given: object, tell: Callable[[int, int], None], _gone: object) -> str:
        tell(10, 40)
        return ""

    call = request(1, "tools/call", name="why_slow", arguments={}, _meta={"progressToken": "t"})
    note, _ = session(call, answer)
    params = {"progressToken": "t", "progress": 10, "total": 40, "message": "reading traces"}
    assert note == {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}
    assert len(session(request(1, "tools/call", name="why_slow", arguments={}), answer)) == 1


def test_an_error_of_ours_is_told_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard error has the text."""

    def answer(*_: object) -> str:
        raise KeyError("a detail")

    [only] = session(request(1, "tools/call", name="why_slow", arguments={}), answer)
    assert only["error"] == {"code": -32603, "message": "internal error; standard error has it"}
    assert capsys.readouterr().err == "lambda-latency: KeyError('a detail')\n"


def test_what_is_printed_does_not_reach_the_wire(tmp_path: Path) -> None:
    """By Python, or to the descriptor; and standard input is empty for who reads it."""
    probe = (
        "import os, sys\n"
        "from lambda_latency.agent import Options, serve\n"
        "def settings():\n"
        "    print('printed'); os.write(1, b'written'); assert sys.stdin.read() == '' or True\n"
        "    return Options([sys.argv[1]])\n"
        "serve([sys.argv[1]], settings)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, str(tmp_path)],
        input=request(1, "tools/call", name="why_slow", arguments={}),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert len(done.stdout.splitlines()) == 1
    assert b"printed" in done.stderr
    assert b"written" in done.stderr


# ---- The start: what is imported before the first verdict, and that no socket is opened ----

PROBE = """
import sys
asked = []
sys.addaudithook(lambda event, given: asked.append(event) if event.startswith(("socket.", "subprocess.")) else None)
from lambda_latency.cli import main
status = main(["mcp", "--root", sys.argv[1]])
rooms = {name.split(".")[1] for name in sys.modules if name.startswith("lambda_latency.")}
print(status, asked, sorted(rooms), sorted({"typing", "pathlib", "dataclasses"} & sys.modules.keys()), file=sys.stderr)
"""


def probed(root: Path, *lines: bytes) -> str:
    """What the probe tells."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{PROBE}", str(root)],
        input=b"".join(lines),
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stderr.decode()


def test_nothing_that_reads_traces_is_imported_before_the_first_call(tmp_path: Path) -> None:
    """Neither by the list of tools, nor the prompts."""
    calls = [request(number, method) for number, method in enumerate(("tools/list", "prompts/list", "ping"), 2)]
    printed = probed(tmp_path, request(1, "server/discover", **META), *calls)
    assert printed == "0 [] ['agent', 'cli', 'documentation', 'version'] []\n"


def test_no_call_opens_a_socket_or_starts_a_process(tmp_path: Path) -> None:
    """A verdict, a request, a check."""
    (tmp_path / "traces.jsonl").write_text("".join(dump_line(trace.spans) for trace in few()))
    calls = [
        request(number, "tools/call", name=name, arguments={})
        for number, name in enumerate(("why_slow", "list_requests", "check_tracing"))
    ]
    assert probed(tmp_path, *calls).startswith("0 [] ")


@pytest.mark.parametrize(
    ("head", "request_id"),
    [
        (b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":"', 7),
        (b'{"method": "ping", "jsonrpc": "2.0", "id": "a-1", "params": "', "a-1"),
        (b'{"params":{"id":3},"id":7,"text":"', None),
        (b'{"jsonrpc":"2.0","id":' + b"9" * 5_000 + b',"text":"', None),
        (b'{"jsonrpc":"2.0","id":[1],"text":"', None),
    ],
)
def test_a_message_that_is_too_long_is_answered_by_its_id(head: bytes, request_id: object) -> None:
    """A client waits for that id; what does not begin a request with one is answered without."""
    read, write = io.BytesIO(head + b"x" * LONGEST + b'"}\n'), io.BytesIO()
    assert list(Wire(read, write).messages()) == []
    assert json.loads(write.getvalue()) == {
        "jsonrpc": "2.0",
        "id": request_id,
        "error": {"code": -32600, "message": "a message has at most 1,000,000 bytes"},
    }
