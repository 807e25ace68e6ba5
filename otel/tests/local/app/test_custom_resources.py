"""Custom resources: their answers reach the emulator by HTTP and by HTTPS."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lambda_latency.http import Handler, Server
from lambda_latency.local.app.stack.custom_resources import with_response_url

BOOTSTRAP = Path(__file__).parents[4] / "otel/lambda_latency/local/sandbox/bootstrap.py"
ANSWER = """
import runpy, sys
bootstrap = runpy.run_path(sys.argv[1])
bootstrap["reach"](sys.argv[2])
from http.client import HTTPSConnection
connection = HTTPSConnection(sys.argv[2].partition("://")[2])
connection.request("PUT", "/answer", "{}")
print(connection.getresponse().status)
"""


class Taking(Handler):
    """What CloudFormation is."""

    def do_PUT(self) -> None:
        self.body()
        self.answer(201)


def test_an_answer_by_https_reaches_the_emulator() -> None:
    """In the process of a function; libraries such as crhelper use nothing else."""
    with closing(Server(Taking)) as server:
        command = [sys.executable, "-c", ANSWER, str(BOOTSTRAP), f"http://{server.address}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("201\n", "")


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ({"ResponseURL": "http://localhost:1/a?b=c"}, {"ResponseURL": "http://127.0.0.1:2/a?b=c"}),
        ({"Records": []}, {"Records": []}),
    ],
)
def test_a_request_of_cloudformation_is_answered_at_the_proxy(event: object, wanted: object) -> None:
    """Whose address the sandbox knows; another event is as it was."""
    assert json.loads(with_response_url(json.dumps(event).encode(), "http://127.0.0.1:2")) == wanted
    assert with_response_url(b"none", "http://127.0.0.1:2") == b"none"
