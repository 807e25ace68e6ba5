"""The entries of four clients, and the block of AGENTS.md: printed first, written if asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lambda_latency.agent.clients import BEGIN, BLOCK, CLIENTS, END
from lambda_latency.cli import main

SERVER = {"command": "lambda-latency", "args": ["mcp", "--root", "."]}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("client", CLIENTS)
def test_the_entry_is_printed_and_nothing_written(
    client: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until --write is given; then the client has it."""
    assert main(["mcp", "--install", client]) == 0
    assert capsys.readouterr().out.endswith("Nothing was written: --write does it.\n")
    assert list(project.iterdir()) == []
    assert main(["mcp", "--install", client, "--write"]) == 0
    chosen = CLIENTS[client]
    written = json.loads((project / chosen.file).read_text())
    assert written == {chosen.key: {"lambda-latency": {**chosen.more, **SERVER}}}


def test_other_servers_and_settings_stay(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And a second run changes nothing."""
    before = {"inputs": [], "servers": {"other": {"command": "x"}, "lambda-latency": {"command": "old"}}}
    (project / ".vscode").mkdir()
    (project / ".vscode" / "mcp.json").write_text(json.dumps(before))
    for _ in range(2):
        assert main(["mcp", "--install", "vscode", "--write", "--root", "out", "--root", "more"]) == 0
    after = json.loads((project / ".vscode" / "mcp.json").read_text())
    args = ["mcp", "--root", "out", "--root", "more"]
    entry = {"type": "stdio", "command": "lambda-latency", "args": args}
    assert after == {"inputs": [], "servers": {"other": {"command": "x"}, "lambda-latency": entry}}
    assert capsys.readouterr().out.splitlines()[-1] == ".vscode/mcp.json has it already."


@pytest.mark.parametrize("text", ["// a comment\n{}", "[]", "nonsense", '{"mcpServers": []}', '{"mcpServers": null}'])
def test_a_file_that_is_not_plain_json_is_left_alone(
    text: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The entry to add by hand is told."""
    (project / ".mcp.json").write_text(text)
    assert main(["mcp", "--install", "claude", "--write"]) == 1
    assert capsys.readouterr().err.startswith("lambda-latency: .mcp.json is not plain JSON\n  add by hand, under 'mcp")
    assert (project / ".mcp.json").read_text() == text


@pytest.mark.parametrize("before", ["", "# Ours\n", "# Ours", f"# Ours\n{BEGIN}\nold\n{END}\nrest\n"])
def test_the_block_is_added_or_replaced(before: str, project: Path) -> None:
    """What the file has otherwise stays; twice is once."""
    file = project / "AGENTS.md"
    if before:
        file.write_text(before)
    for _ in range(2):
        assert main(["mcp", "--agents", "--write"]) == 0
    text = file.read_text()
    assert text.count(BLOCK.strip()) == 1
    assert text.replace(BLOCK.strip(), "").split() == before.replace(f"{BEGIN}\nold\n{END}", "").split()


def test_half_a_block_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not known where it ends."""
    (project / "AGENTS.md").write_text(f"{BEGIN}\nold\n")
    assert main(["mcp", "--agents", "--write"]) == 1
    assert "remove the rest of the block" in capsys.readouterr().err


def test_a_new_project_has_the_block_if_asked(project: Path) -> None:
    """`init --agents`; otherwise there is no AGENTS.md."""
    assert main(["init", "with", "--agents"]) == 0
    assert main(["init", "without"]) == 0
    assert (project / "with" / "AGENTS.md").read_text() == BLOCK
    assert not (project / "without" / "AGENTS.md").exists()


def test_write_alone_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """And so is a root that is no folder."""
    assert main(["mcp", "--write"]) == 2
    assert main(["mcp", "--root", "nowhere"]) == 2
    first, _, second, _ = capsys.readouterr().err.splitlines()
    assert first == "lambda-latency: --write needs --install or --agents"
    assert second.endswith("/nowhere is no folder")
