"""Assistants: does the protocol's own client get every answer, in both eras, small, the same twice, and from the roots?

The tools answer about the scenes, 20,000 spans, 50,000 requests, and 100 files whose every text is hostile.

Usual time: 4 minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.agents.conversations import asked
from lab.agents.hostile import SECRETS, write_hostile, write_large
from lab.agents.questions import QUESTIONS
from lab.agents.scenes import write_scenes
from lab.same.pythons import ROOT, prepare
from lambda_latency.agent.budget import MOST, tokens
from tests.agent.asking import Tools

LOCK = ROOT / "requirements" / "agents.txt"
MODES = ("auto", "legacy")
MOST_OF_LIST = 1_500
WATCHED = """
import sys
seen = open(sys.argv[1], "a")
def hook(event, given):
    if event.startswith("socket."):
        seen.write(event + "\\n"); seen.flush()
sys.addaudithook(hook)
from lambda_latency.cli import main
sys.exit(main(sys.argv[2:]))
"""
OUTSIDE = ("/etc/passwd", "../outside.jsonl", "link.jsonl", "/dev/stdin", "/proc/self/environ", "..")

Calls = list[tuple[str, dict[str, Any]]]


def main() -> int:
    """Ask, count; status 1 if a bound does not hold."""
    parser = argparse.ArgumentParser("python -m lab agents", description=__doc__)
    parser.add_argument("--files", type=int, default=100, metavar="N", help="hostile files; default 100")
    parser.add_argument("--demo", type=Path, metavar="FILE", help="traces of the demo; without it the demo is run")
    options = parser.parse_args()
    python = prepare("agents", LOCK, f"{sys.version_info.major}.{sys.version_info.minor}")
    assert python is not None
    with tempfile.TemporaryDirectory(prefix="lambda-latency-agents-") as folder:
        root = Path(folder, "root")
        root.mkdir()
        calls = written(root, options.files, options.demo)
        wrong = [line for mode in MODES for line in talked(python, root, calls, mode)]
        wrong += answered(root)
    print("".join(f"NOT {line}\n" for line in wrong), end="")
    return int(bool(wrong))


def written(root: Path, files: int, demo: Path | None) -> Calls:
    """Write all inputs; returns the calls."""
    write_scenes(root)
    write_large(root)
    hostile = write_hostile(root, files)
    Path(root.parent, "outside.jsonl").write_bytes((root / "shop.jsonl").read_bytes())
    (root / "link.jsonl").symlink_to(root.parent / "outside.jsonl")
    if demo is None:
        command = [sys.executable, "-m", "lambda_latency", "demo", "--out", str(root / "demo"), "--quiet"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        demo = root / "demo" / "traces.jsonl"
    (root / "demo.jsonl").write_bytes(demo.read_bytes())
    calls: Calls = [("why_slow", {"source": f"{one}.jsonl"}) for one in ("demo", "shop", "wide", "deep", "many")]
    calls += [("why_slow", {"source": "archive"}), ("list_requests", {"source": "many.jsonl", "limit": 50})]
    calls += [("compare", {"source": "after.jsonl", "baseline": "before.jsonl"}), ("check_tracing", {"path": "app"})]
    calls += [
        ("query_archive", {"question": one}) for one in ("by_day", "by_hour", "by_route", "parts", "parts_by_day")
    ]
    calls += [
        ("show_request", {"source": f"{name}.jsonl", "trace_id": f"{at:032x}"})
        for at, name in ((1, "wide"), (2, "deep"))
    ]
    calls += [("show_request", {"source": "deep.jsonl", "trace_id": f"{2:032x}", "under": f"{15000:016x}"})]
    calls += [("why_slow", {"source": one}) for one in OUTSIDE]
    for path in hostile:
        given = {"source": path.name}
        calls += [
            ("why_slow", given),
            ("list_requests", {**given, "limit": 50}),
            ("check_tracing", {"path": path.name}),
        ]
        calls += [("show_request", {**given, "trace_id": f"{8:032x}"})]
        calls += [("show_span", {**given, "trace_id": f"{8:032x}", "span_id": f"{span:016x}"}) for span in (1, 2)]
    calls += [("compare", {"source": hostile[0].name, "baseline": hostile[-1].name})]
    return calls


def talked(python: Path, root: Path, calls: Calls, mode: str) -> Iterator[str]:
    """What is wrong with the answers that the SDK's client gets."""
    job, seen = root.parent / "job.json", root.parent / f"sockets-{mode}.txt"
    seen.touch()
    server = [sys.executable, "-c", WATCHED, str(seen), "mcp", "--root", str(root)]
    job.write_text(json.dumps({"server": server, "mode": mode, "calls": calls, "large": str(root / "many.jsonl")}))
    client = Path(__file__).with_name("client.py")
    found = json.loads(subprocess.run([python, client, job], check=True, capture_output=True, text=True).stdout)
    texts = [text for pair in found["answers"] for _, text in pair]
    differing = [call for call, (one, two) in zip(calls, found["answers"], strict=True) if one != two]
    same = len(calls) - len(differing)
    largest = max(map(tokens, texts))
    hidden = sum(unicodedata.category(one)[0] in "CM" and one != "\n" for text in texts for one in text)
    secrets = sum(secret in text for text in texts for secret in SECRETS)
    refused = sum(
        failed for (_, given), ((failed, _), _) in zip(calls, found["answers"], strict=True)
        if given.get("source") in OUTSIDE
    )  # fmt: skip
    failed = sum(pair[0][0] for pair in found["answers"]) - refused
    sockets = len(seen.read_text().splitlines())
    listed = tokens(json.dumps(found["tools"], separators=(",", ":")))
    print(
        f"{found['version']}: {len(calls)} calls, largest answer {largest:,.0f} of {MOST:,} tokens, same twice {same}, "
        f"hidden letters {hidden}, secrets {secrets}, outside of roots {refused} of {len(OUTSIDE)} refused, other "
        f"errors {failed}, sockets opened {sockets}, notes of progress {found['notes']}; "
        f"list of tools {listed:,.0f} of {MOST_OF_LIST:,} tokens"
    )
    checks = {
        "an answer is too large": largest <= MOST,
        f"an answer differs from the same call's: {differing[:3]}": not differing,
        "a hidden letter": hidden == 0,
        "a secret": secrets == 0,
        "a path outside of the roots was read": refused == len(OUTSIDE),
        "a call failed": failed == 0,
        "a socket": sockets == 0,
        "no note of progress": found["notes"] > 0,
        "after a cancelled call the answer is another": found["after"] == found["answers"][0][0],
        "the list of tools is too large": listed <= MOST_OF_LIST,
    }
    yield from (f"{mode}: {what}" for what, holds in checks.items() if not holds)


def answered(root: Path) -> Iterator[str]:
    """The golden questions whose answers lack an expected part."""
    tools, right, most = Tools(root), 0, 0
    for question in QUESTIONS:
        said = asked(question, tools)
        text = "\n".join(one.text for one in said)
        missing = [part for part in question.expected if part not in text]
        right, most = right + (not missing), max(most, len(said))
        if missing:
            yield f"{question.asked} lacks {missing}"
    print(f"golden questions: {right} of {len(QUESTIONS)} answered, in at most {most} calls")


if __name__ == "__main__":
    sys.exit(main())
