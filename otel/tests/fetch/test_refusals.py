"""Each way in which AWS says no, as a person reads it: what it was, what to do, and the exit status."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.fetch.account import sdk_segments
from tests.fetch.standin import DENIED, EXPIRED, XRay, trace_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fetch.conftest import Run, Start

COMMANDS = (["report", "--xray"], ["fetch", "--out", "out.jsonl"])
EXPRESSIONS = "https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html"


def filled(xray: XRay, count: int) -> list[str]:
    """Put so many traces of the last minutes; returns their ids."""
    now = int(time.time())
    ids = []
    for number in range(count):
        at = now - 60 - number
        ids.append(trace_id(at, number))
        xray.put(at, ids[-1])
    return ids


@pytest.mark.parametrize(
    ("variables", "options", "said"),
    [
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            [],
            (
                "lambda-latency: no AWS credentials were found\n"
                "  name a profile (--profile), or run `aws configure` or `aws sso login`, or set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY\n"
            ),
        ),
        (
            {"AWS_SECRET_ACCESS_KEY": ""},
            [],
            (
                "lambda-latency: the AWS credentials are not complete: Partial credentials found in env, missing: "
                "AWS_SECRET_ACCESS_KEY\n  set both keys, or name a profile (--profile)\n"
            ),
        ),
        (
            {},
            ["--profile", "nobody"],
            (
                "lambda-latency: The config profile (nobody) could not be found\n"
                "  `aws configure list-profiles` lists the profiles\n"
            ),
        ),
        (
            {"AWS_DEFAULT_REGION": ""},
            [],
            (
                "lambda-latency: no AWS region is set\n"
                "  name the region of the functions (--region us-east-1), or set AWS_REGION\n"
            ),
        ),
        (
            {},
            ["--region", "eu-wset-1"],
            (
                "lambda-latency: X-Ray has no endpoint in eu-wset-1, according to boto3 and the network\n"
                "  name the region of the functions (--region): did you mean eu-west-1 or us-west-1 or "
                "eu-west-3?\n"
            ),
        ),
        (
            {},
            ["--region", "us_east"],
            (
                "lambda-latency: 'us_east' is not a region\n"
                "  name the region of the functions (--region): did you mean us-east-2 or us-east-1 or "
                "us-west-2?\n"
            ),
        ),
    ],
)
def test_what_is_wrong_before_anything_is_asked(
    run: Run, variables: dict[str, str], options: list[str], said: str
) -> None:
    """Status 1, and nothing but the line."""
    done = run("report", "--xray", *options, **variables)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (
            DENIED,
            (
                "lambda-latency: AWS does not allow GetTraceSummaries: User: arn:aws:sts::123456789012:assumed-role/"
                "dev/me is not authorized to perform: xray:GetTraceSummaries (AccessDeniedException)\n"
                "  ask for the permissions that `lambda-latency fetch --print-policy` prints, or name another "
                "--profile\n"
            ),
        ),
        (
            EXPIRED,
            (
                "lambda-latency: the AWS credentials have expired: The security token included in the request is "
                "expired (ExpiredTokenException)\n"
                "  renew them (`aws sso login`, or the tool that issued them), and run the command again\n"
            ),
        ),
        (
            "AKIAELSEWHERE",
            (
                "lambda-latency: AWS rejects these credentials: The security token included in the request is "
                "invalid (UnrecognizedClientException)\n"
                "  check them (--profile), the clock of this machine, and the region (--region): a region that is not "
                "enabled in the account causes the same error\n"
            ),
        ),
    ],
)
def test_who_may_not_ask_is_told_why(start: Start, run: Run, tmp_path: Path, key: str, said: str) -> None:
    """Status 1; a file of an earlier fetch stays as it was."""
    xray = start(sdk_segments)
    filled(xray, 20)
    (tmp_path / "out.jsonl").write_text("of an earlier fetch\n")
    done = run(*COMMANDS[1], "--endpoint-url", xray.url, AWS_ACCESS_KEY_ID=key)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
    assert (tmp_path / "out.jsonl").read_text() == "of an earlier fetch\n"


def test_a_filter_expression_that_x_ray_does_not_take_is_shown(start: Start, run: Run, tmp_path: Path) -> None:
    """With one that it takes."""
    xray = start(sdk_segments)
    done = run(*COMMANDS[1], "--endpoint-url", xray.url, "--filter", 'service("orders-api')
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
    times = ("--since", "2h", "--until", "1h", "--endpoint-url", xray.url)
    done = run("report", "--xray", *times)
    what, todo = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert what.startswith("lambda-latency: X-Ray in us-east-1 has no trace from 20")
    assert todo == (
        "  check the region (--region), the time (--since 24h), and that requests are sampled: `Tracing: Active` "
        "on a function or `TracingEnabled: true` on an API, and no sampling rule of 0"
    )
    filled(xray, 12)
    done = run("report", "--xray", "--endpoint-url", xray.url, "--slower-than", "30000")
    what, todo = done.stderr.splitlines()
    assert done.returncode == 1
    assert what.startswith("lambda-latency: none of the 12 traces from 20")
    assert what.endswith("Z matches responsetime > 30")
    assert todo == "  choose a longer period (--since 24h) or another filter"


def test_a_trace_that_is_not_there_is_named(start: Start, run: Run) -> None:
    """In either form of its id; what is no id is refused."""
    xray = start(sdk_segments)
    [known] = filled(xray, 1)
    asked = ("report", "--xray", "--endpoint-url", xray.url, "--trace")
    assert run(*asked, known, "--ascii").stdout.startswith(f"The request: POST create-order, 100 ms, {known}\n")
    assert run(*asked, known[2:].replace("-", "")).returncode == 0
    missing = run(*asked, trace_id(int(time.time()), 77))
    assert (missing.returncode, missing.stderr.split(" 1-")[0]) == (
        1,
        "lambda-latency: X-Ray in us-east-1 has no trace",
    )
    assert (run(*asked, "77").returncode, run(*asked, "77").stderr) == (
        2,
        (
            "lambda-latency: '77' is not a trace id\n"
            "  a trace id looks like 1-5759e988-bd862e3fe1be46a994272793, or has 32 hex digits\n"
        ),
    )


def test_nobody_at_the_address_is_said_at_once(run: Run) -> None:
    """boto3 would try ten times, for a minute."""
    with socket.socket() as nobody:  # bound, but nobody listens
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        done = run("report", "--xray", "--endpoint-url", url)
    assert (done.returncode, done.stderr) == (
        1,
        f"lambda-latency: X-Ray cannot be reached at {url}: Connection refused\n  check --endpoint-url\n",
    )


@pytest.mark.parametrize("command", COMMANDS, ids=["report", "fetch"])
def test_permissions_that_end_in_the_middle_lose_nothing(
    start: Start, run: Run, tmp_path: Path, command: list[str]
) -> None:
    """What came before is in the file and in the report; the line is last; the status says that some is missing."""
    xray = start(sdk_segments, denied_after=12, batch_page=5)
    ids = filled(xray, 200)
    out = tmp_path / "out.jsonl"
    done = run(*command, *([] if "--out" in command else ["--out", str(out)]), "--endpoint-url", xray.url)
    kept = [json.loads(line)["Id"] for line in out.read_text().splitlines()]
    assert done.returncode == 4
    assert len(kept) == len(set(kept)) == 50  # twelve calls, two of them for the ids
    assert set(kept) < set(ids)
    assert done.stderr.splitlines()[0].startswith("lambda-latency: AWS does not allow BatchGetTraces: User: ")
    assert ("50 requests seen; how many were not sampled is unknown" if "--xray" in command else "50 traces") in (
        " ".join(done.stdout.split())
    )


def test_options_that_do_not_go_together_are_a_matter_of_usage(run: Run) -> None:
    """Status 2, and what to say instead."""
    said: list[tuple[int, Any]] = []
    for command in (
        ["report"],
        ["report", "--xray", "traces.jsonl"],
        ["report", "traces.jsonl", "--max", "5"],
        ["report", "traces.jsonl", "--endpoint-url", "http://127.0.0.1"],
        ["fetch"],
        ["fetch", "--dry-run", "--since", "40d"],
        ["report", "--xray", "--since", "1h", "--until", "2h"],
    ):
        done = run(*command)
        said.append((done.returncode, done.stderr.splitlines()[-1].strip()))
    assert said == [
        (2, "name a trace file or a folder, use - for standard input, or add --xray"),
        (2, "remove --xray or the files"),
        (2, "add --xray"),
        (2, "add --xray"),
        (2, "add --out FILE, or --archive DIR"),
        (2, "use --since 30d"),
        (2, "a duration is an age: --since 2h --until 1h is the hour before the last"),
    ]
