"""Goes the whole way with an app in a repository of its own: `serve --record`, a second commit, `diff` of both, twice.

Shows the comment for a pull request, how long it took, and what is saved when the cache has the counts of the base.
"""

import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from lab.diff.changes import changes
from lab.diff.runs import App
from lambda_latency.diff.session import filled, named_values
from lambda_latency.http import request

COMMAND = [sys.executable, "-um", "lambda_latency"]
GIT = ["git", "-c", "user.name=lab", "-c", "user.email=lab@localhost"]


def run_recorded(app: App, folder: Path) -> None:
    """Record the app's requests, make its first batch of changes, and print the comment and the times."""
    root = app.copied(folder, "")
    (root / "run.txt").write_text(uuid.uuid4().hex, encoding="utf-8")  # no earlier run has counted the base
    subprocess.run([*GIT, "init", "--quiet"], cwd=root, check=True)
    _record(app, root)
    _commit(root, "app")
    for change in changes():
        if (change.app, change.batch) == (app.name, "1"):
            change.made(root)
    _commit(root, "changes")
    seconds = [_compare(root), _compare(root)]
    print((root / "comment.md").read_text(encoding="utf-8"))
    for number, kind in enumerate(("elapsed", "of processor time")):
        alone, cached = (times[number] for times in seconds)
        print(f"{alone:.0f} s {kind}; with the counts of the base in the cache {cached:.0f} s ({cached / alone:.0%})")


def _record(app: App, root: Path) -> None:
    """Send the app's requests to `serve --record`."""
    command = [*COMMAND, "serve", "--port", "0", "--record", "session.json"]
    names = {"round": "0"}
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as serve:
        assert serve.stdout is not None
        url = next(match[1] for line in serve.stdout if (match := re.search(r" is up at (\S+),", line)))
        for call in app.calls:
            method, _, path = filled(call.request, names).partition(" ")
            if path:
                answer = request(method, url + path, filled(call.text, names) if call.body else "", call.headers, 60)
                names |= named_values(call, answer.body)
        serve.send_signal(signal.SIGINT)
        serve.communicate()


def _commit(root: Path, message: str) -> None:
    for arguments in (["add", "."], ["commit", "--quiet", "-m", message]):
        subprocess.run([*GIT, *arguments], cwd=root, check=True)


def _compare(root: Path) -> tuple[float, float]:
    """Compare the two commits; returns the seconds that elapsed, and those of processor time."""
    start, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
    command = [*COMMAND, "diff", "HEAD~1", "HEAD", "--quiet", "--format", "markdown=comment.md"]
    status = subprocess.run(command, cwd=root, check=False).returncode
    after = getrusage(RUSAGE_CHILDREN)
    print(f"diff: status {status}", file=sys.stderr)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, spent
