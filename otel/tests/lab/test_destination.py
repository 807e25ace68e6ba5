"""Where `make deploy` and `make prove` go: the order of what is said, the question, what stands before any call."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from lab.destination import Destination, NowhereError, confirmed, destination_of
from tests.docs.pages import ROOT

IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/ada</Arn><UserId>A</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
CONFIG = "[default]\nregion = eu-west-3\n[profile other]\nregion = sa-east-1\n"
SAMCONFIG = """\
[default.global.parameters]
region = "eu-north-1"
profile = "other"
[dev.deploy.parameters]
region = "eu-west-2"
"""


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """AWS's files of a person, and nothing of this environment's own; returns the folder."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return tmp_path


@pytest.mark.parametrize(
    ("samconfig", "environment", "given", "found"),
    [
        ("", {}, {}, ("", "no other is named", "eu-west-3", "the profile")),
        ("", {"AWS_PROFILE": "other"}, {}, ("other", "AWS_PROFILE", "sa-east-1", "the profile")),
        ("", {"AWS_DEFAULT_REGION": "us-east-2"}, {}, ("", "no other is named", "us-east-2", "AWS_DEFAULT_REGION")),
        ("", {"AWS_DEFAULT_REGION": "us-east-2", "AWS_REGION": "us-west-1"}, {},
         ("", "no other is named", "us-west-1", "AWS_REGION")),
        (SAMCONFIG, {"AWS_REGION": "us-west-1", "AWS_PROFILE": "default"}, {},
         ("other", "samconfig.toml", "eu-north-1", "samconfig.toml")),
        (SAMCONFIG, {"AWS_REGION": "us-west-1"}, {"config_env": "dev"},
         ("", "no other is named", "eu-west-2", "samconfig.toml")),
        (SAMCONFIG, {}, {"region": "ca-central-1", "profile": "default"},
         ("default", "--profile", "ca-central-1", "--region")),
    ],
)  # fmt: skip
def test_the_nearest_word_counts(
    configuration: Path, samconfig: str, environment: dict[str, str], given: dict[str, str], found: tuple[str, ...]
) -> None:
    """And is named: option, samconfig.toml, AWS_REGION, AWS_DEFAULT_REGION, profile."""
    (configuration / "samconfig.toml").write_text(samconfig)
    assert destination_of(configuration, environment, **given) == Destination(*found)


@pytest.mark.parametrize(
    ("samconfig", "config", "environment", "said"),
    [
        ("", "[default]\n", {}, "no region is known"),
        ("", CONFIG, {"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found"),
        ("region = [", CONFIG, {}, "samconfig.toml cannot be read"),
    ],
)
def test_nowhere_is_told(
    configuration: Path, samconfig: str, config: str, environment: dict[str, str], said: str
) -> None:
    """With what to do."""
    (configuration / "samconfig.toml").write_text(samconfig)
    (configuration / "config").write_text(config)
    with pytest.raises(NowhereError) as error:
        destination_of(configuration, environment)
    assert said in str(error.value)


NOBODY = "There is no terminal to answer: ARGS=--yes says yes. Nothing was created.\n"


class Terminal(io.StringIO):
    """A person who types."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize(
    ("yes", "terminal", "answer", "said"),
    [
        (True, io.StringIO(), True, "Go? yes (--yes)\n"),
        (False, io.StringIO("y\n"), None, f"Go? {NOBODY}"),
        (False, Terminal("y\n"), True, "Go? [y/N] "),
        (False, Terminal("\n"), False, "Go? [y/N] Nothing was created.\n"),
    ],
)  # fmt: skip
def test_the_question_is_asked_once(yes: bool, terminal: io.StringIO, answer: bool | None, said: str) -> None:
    """Only a terminal can be asked."""
    out = io.StringIO()
    assert (confirmed("Go?", yes=yes, terminal=terminal, out=out), out.getvalue()) == (answer, said)


@pytest.fixture
def sts() -> Iterator[str]:
    """The address of a service that knows who calls."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(IDENTITY)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def destination(monkeypatch: pytest.MonkeyPatch, endpoint: str, *arguments: str) -> tuple[int, str, str]:
    """Status and output of the program; the credentials are known to nobody else."""
    for name, value in (
        ("AWS_ENDPOINT_URL_STS", endpoint),
        ("AWS_ACCESS_KEY_ID", "known"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
    ):
        monkeypatch.setenv(name, value)
    done = subprocess.run(
        [sys.executable, "-m", "lab", "destination", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


THERE = """\
profile default (no other is named)
region  eu-west-3 (the profile)
account 123456789012 (arn:aws:iam::123456789012:user/ada)
Deploy there? """


@pytest.mark.usefixtures("configuration")
@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--yes"], (0, "--region eu-west-3\n", f"{THERE}yes (--yes)\n")),
        ([], (2, "", f"{THERE}{NOBODY}")),
    ],
)
def test_account_profile_and_region_are_said_and_sam_is_told_the_region(
    monkeypatch: pytest.MonkeyPatch, sts: str, arguments: list[str], found: tuple[int, str, str]
) -> None:
    """The configuration's region is not overridden by anybody."""
    assert destination(monkeypatch, sts, *arguments) == found


@pytest.mark.usefixtures("configuration")
def test_profile_and_region_are_said_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """That call ends it here, for nobody answers."""
    status, out, err = destination(monkeypatch, "http://127.0.0.1:9", "--yes")
    assert (status, out, err.partition("account")[0]) == (1, "", THERE.partition("account")[0])
    assert "account not known: Could not connect" in err


@pytest.mark.usefixtures("configuration")
@pytest.mark.parametrize("program", ["destination", "prove"])
def test_the_region_is_the_profiles_where_nothing_else_says_one(program: str) -> None:
    """As a process of its own: nothing that it imports sets a region."""
    environment = {**os.environ, "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9", "AWS_EC2_METADATA_DISABLED": "true"}
    command = [sys.executable, "-m", "lab", program, "--yes"]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, (ran.stdout + ran.stderr).partition("account")[0]) == (
        1,
        "profile default (no other is named)\nregion  eu-west-3 (the profile)\n",
    )
