"""The roots: what lies outside is not read, whatever names it."""

import os
from pathlib import Path

import pytest

from lambda_latency.agent.roots import Roots
from lambda_latency.agent.tools import RefusedError
from lambda_latency.trace import dump_line
from tests.agent.asking import Tools, request, served
from tests.latency.generated import few

LINES = "".join(dump_line(trace.spans) for trace in few())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with traces, beside a secret one; and links that lead there."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "traces.jsonl").write_text(LINES)
    (outside / "secret.jsonl").write_text(LINES)
    (inside / "link.jsonl").symlink_to(outside / "secret.jsonl")
    (inside / "folder").symlink_to(outside)
    return inside


@pytest.mark.parametrize("tool", ["why_slow", "list_requests", "check_tracing"])
@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../outside/secret.jsonl", "../outside", "link.jsonl", "folder", "folder/secret.jsonl", "..",
        "/", "../*/*.jsonl", "/dev/stdin", "/proc/self/environ", "-", "a\0b", "x" * 100_000, "s3://bucket/x", "~/x",
        "file:///etc/passwd", "folder/*.jsonl",
    ],
)  # fmt: skip
def test_a_path_outside_is_refused(root: Path, tool: str, path: str) -> None:
    """And so is what is no path; no text of the file is in the answer."""
    arguments = {"path" if tool == "check_tracing" else "source": path}
    with pytest.raises(RefusedError) as refused:
        Tools(root)(tool, arguments)
    assert "POST /orders" not in str(refused.value)


def test_a_pattern_leaves_out_links_that_lead_out(root: Path) -> None:
    """They are counted as skipped."""
    text = Tools(root)("why_slow", {"source": "*.jsonl"})
    assert "Part of the input was skipped: 1 thing (--problems)." in text


def test_the_newest_file_is_read_without_a_source(root: Path) -> None:
    """It is named, and a link that leads out is not it."""
    (root / "out").mkdir()
    newest = root / "out" / "traces.jsonl"
    newest.write_text(LINES)
    os.utime(newest, (2e9, 2e9))
    assert Tools(root)("why_slow").startswith('source: "out/traces.jsonl" (the newest trace file)\n')
    os.utime(root / "traces.jsonl", (2.1e9, 2.1e9))
    assert Tools(root)("why_slow").startswith('source: "traces.jsonl" (the newest trace file)\n')


@pytest.mark.parametrize("junk", [b"", b"no trace\n", bytes(range(256))])
def test_a_newest_file_that_is_no_trace_hides_no_other(root: Path, junk: bytes) -> None:
    """The next one is read; where none has a request, the answer is about the newest."""
    (root / "junk.jsonl").write_bytes(junk)
    os.utime(root / "junk.jsonl", (2e9, 2e9))
    assert Tools(root)("why_slow").startswith('source: "traces.jsonl" (the newest trace file)\n')
    (root / "traces.jsonl").write_text("no trace\n")
    with pytest.raises(RefusedError, match=r'^no request in "junk\.jsonl"'):
        Tools(root)("why_slow")


def test_several_roots_are_searched_in_their_order(root: Path) -> None:
    """A file of the second is named by its real path."""
    outside = root.parent / "outside"
    sources = Roots([root, outside]).sources("secret.jsonl", [])
    assert [(s.name, s.path) for s in sources] == [(str(outside / "secret.jsonl"), outside / "secret.jsonl")]


def test_a_file_that_a_template_names_outside_is_not_opened(root: Path) -> None:
    """The guard refuses it, though the path in the call is fine."""
    (root / "template.yaml").write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Get:\n    Type: AWS::Serverless::Function\n"
        "    Properties: { Runtime: python3.13, Handler: a.handler, CodeUri: ../outside/, Tracing: Active }\n"
    )
    (root.parent / "outside" / "a.py").write_text("def handler(e, c): ...\n")
    call = request(1, "tools/call", name="check_tracing", arguments={"path": "template.yaml"})
    [answer] = served(root, call)
    text = answer["result"]["content"][0]["text"]
    assert text.splitlines()[-1] == "not read: 2 files or folders outside of the roots"


def test_a_module_of_the_roots_is_not_imported(root: Path) -> None:
    """Though Python is started in their folder; nor is a file outside counted as not read."""
    (root / "msgspec.py").write_text("raise RuntimeError('imported')")
    [answer] = served(root, request(1, "tools/call", name="why_slow", arguments={"source": "traces.jsonl"}))
    text = answer["result"]["content"][0]["text"]
    assert not answer["result"]["isError"]
    assert "not read" not in text
