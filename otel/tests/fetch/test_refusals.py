"""Each way in which AWS says no, as a person reads it: what it was, what to do, and the exit status."""

import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.fetch.account import sdk_segments
from tests.fetch.conftest import Run, Start
from tests.fetch.standin import DENIED, EXPIRED, trace_id
from tests.fetch.test_fetch import fetched, filled

COMMANDS = (["report", "--xray"], ["fetch", "--out", "out.jsonl"])
EXPRESSIONS = "https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html"


NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
NAME_THE_REGION = "name the region of the functions (--region)"
# What is wrong before anything is asked: variables, options, what is said, and what to do.
WRONG: dict[str, tuple[dict[str, str], list[str], str, str]] = {
    "no keys": (
        NO_KEYS,
        [],
        "no AWS credentials were found",
        "name a profile (--profile), or run `aws configure` or `aws sso login`, or set " + " and ".join(NO_KEYS),
    ),
    "half of the keys": (
        {"AWS_SECRET_ACCESS_KEY": ""},
        [],
        "the AWS credentials are not complete: Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY",
        "set both keys, or name a profile (--profile)",
    ),
    "no such profile": (
        {},
        ["--profile", "nobody"],
        "The config profile (nobody) could not be found",
        "`aws configure list-profiles` lists the profiles",
    ),
    "no region": (
        {"AWS_DEFAULT_REGION": ""},
        [],
        "no AWS region is set",
        f"{NAME_THE_REGION[:-1]} us-east-1), or set AWS_REGION",
    ),
    "a mistyped region": (
        {},
        ["--region", "eu-wset-1"],
        "X-Ray has no endpoint in eu-wset-1, according to boto3 and the network",
        f"{NAME_THE_REGION}: did you mean eu-west-1 or us-west-1 or eu-west-3?",
    ),
    "no region's name": (
        {},
        ["--region", "us_east"],
        "'us_east' is not a region",
        f"{NAME_THE_REGION}: did you mean us-east-2 or us-east-1 or us-west-2?",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_before_anything_is_asked(run: Run, name: str) -> None:
    """Status 1, and nothing but the line."""
    variables, options, problem, todo = WRONG[name]
    done = run("report", "--xray", *options, **variables)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"lambda-latency: {problem}\n  {todo}\n")


TOKEN = "The security token included in the request is"
DENIAL = "User: arn:aws:sts::123456789012:assumed-role/dev/me is not authorized to perform: xray:GetTraceSummaries"
NOT_ENABLED = "a region that is not enabled in the account causes the same error"
# By the access key what AWS says, and what to do.
REFUSED = {
    DENIED: (
        f"AWS does not allow GetTraceSummaries: {DENIAL} (AccessDeniedException)",
        "ask for the permissions that `lambda-latency policy fetch` prints, or name another --profile",
    ),
    EXPIRED: (
        f"the AWS credentials have expired: {TOKEN} expired (ExpiredTokenException)",
        "renew them (`aws sso login`, or the tool that issued them), and run the command again",
    ),
    "AKIAELSEWHERE": (
        f"AWS rejects these credentials: {TOKEN} invalid (UnrecognizedClientException)",
        f"check them (--profile), the clock of this machine, and the region (--region): {NOT_ENABLED}",
    ),
}


@pytest.mark.parametrize("key", REFUSED)
def test_who_may_not_ask_is_told_why(start: Start, run: Run, tmp_path: Path, key: str) -> None:
    """Status 1; a file of an earlier fetch stays as it was."""
    problem, todo = REFUSED[key]
    xray = start(sdk_segments)
    filled(xray, 20, 3600)
    (tmp_path / "out.jsonl").write_text("of an earlier fetch\n")
    done = run(*COMMANDS[1], AWS_ENDPOINT_URL=xray.url, AWS_ACCESS_KEY_ID=key)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"lambda-latency: {problem}\n  {todo}\n")
    assert (tmp_path / "out.jsonl").read_text() == "of an earlier fetch\n"


def test_a_filter_expression_that_x_ray_does_not_take_is_shown(start: Start, run: Run, tmp_path: Path) -> None:
    """With one that it takes."""
    xray = start(sdk_segments)
    done = run(*COMMANDS[1], "--filter", 'service("orders-api', AWS_ENDPOINT_URL=xray.url)
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        (
            "lambda-latency: X-Ray rejects the filter expression 'service(\"orders-api': Invalid filter "
            "expression (InvalidRequestException)\n"
            f'  a valid expression looks like service("orders-api") AND responsetime > 1; see {EXPRESSIONS}\n'
        ),
    )
    assert not (tmp_path / "out.jsonl").exists()


def test_no_trace_in_the_time_says_what_to_check(start: Start, run: Run) -> None:
    """The region that was asked, the time, and sampling; with a filter, how many traces there were without it."""
    xray = start(sdk_segments, matches={"responsetime > 30": lambda _: False})
    done = run("report", "--xray", "--since", "2h", "--until", "1h", AWS_ENDPOINT_URL=xray.url)
    problem, todo = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert problem.startswith("lambda-latency: X-Ray in us-east-1 has no trace from 20")
    assert todo == (
        "  check the region (--region), the time (--since 24h), and that requests are sampled: `Tracing: Active` "
        "on a function or `TracingEnabled: true` on an API, and no sampling rule of 0"
    )
    filled(xray, 12, 3600)
    done = run("fetch", "--out", "-", "--slower-than", "30000", AWS_ENDPOINT_URL=xray.url)
    problem, todo = done.stderr.splitlines()
    assert done.returncode == 1
    assert problem.startswith("lambda-latency: none of the 12 traces from 20")
    assert problem.endswith("Z matches responsetime > 30")
    assert todo == "  choose a longer period (--since 24h) or another filter"


def test_a_trace_that_is_not_there_is_named(start: Start, run: Run) -> None:
    """In either form of its id; what is no id is refused."""
    xray = start(sdk_segments)
    [existing] = filled(xray, 1, 3600)

    def ask(name: str) -> subprocess.CompletedProcess[str]:
        return run("report", "--xray", "--trace", name, LC_ALL="C", AWS_ENDPOINT_URL=xray.url)

    assert ask(existing).stdout.startswith(f"The request: POST create-order, 100 ms, {existing}\n")
    assert ask(existing[2:].replace("-", "")).returncode == 0
    missing = ask(trace_id(int(time.time()), 77))
    assert (missing.returncode, missing.stderr.split(" 1-")[0]) == (
        1,
        "lambda-latency: X-Ray in us-east-1 has no trace",
    )
    wrong = ask("77")
    problem, todo = wrong.stderr.splitlines()
    assert (wrong.returncode, problem) == (2, "lambda-latency: '77' is not a trace id")
    assert todo == "  a trace id looks like 1-5759e988-bd862e3fe1be46a994272793, or has 32 hex digits"


def test_nobody_at_the_address_is_said_at_once(run: Run) -> None:
    """boto3 would try ten times, for a minute."""
    with socket.socket() as nobody:  # bound, but nobody listens
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        done = run("report", "--xray", AWS_ENDPOINT_URL=url)
    assert (done.returncode, done.stderr) == (
        1,
        (
            f"lambda-latency: X-Ray cannot be reached at {url}: Connection refused\n"
            "  check the variable AWS_ENDPOINT_URL\n"
        ),
    )


@pytest.mark.parametrize("command", COMMANDS, ids=["report", "fetch"])
def test_permissions_that_end_in_the_middle_lose_nothing(
    start: Start, run: Run, tmp_path: Path, command: list[str]
) -> None:
    """What came before is in the file and in the report; the line is last; the status says that some is missing."""
    xray = start(sdk_segments, denied_after=10, batch_page=5)
    ids = filled(xray, 200, 3600)
    done = run(*command, AWS_ENDPOINT_URL=xray.url)
    assert done.returncode == 4
    if "--out" in command:
        retained = fetched(tmp_path / "out.jsonl")
        assert len(retained) == len(set(retained)) == 50
        assert set(retained) < set(ids)
    assert done.stderr.splitlines()[0].startswith("lambda-latency: AWS does not allow BatchGetTraces: User: ")
    assert ("50 requests seen; how many were not sampled is unknown" if "--xray" in command else "50 traces") in (
        " ".join(done.stdout.split())
    )
