"""`lambda-latency explain`: explains an alarm, or slow requests at a given time, from an AWS account's traces."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.cli.arguments import instant, ms
from lambda_latency.cli.exit_statuses import EXIT_STATUSES, FAILED, FINE
from lambda_latency.cli.messages import fail, warn
from lambda_latency.cli.settings import settings_of

if TYPE_CHECKING:
    import argparse

    from lambda_latency.alarm import Alarm
    from lambda_latency.cli.settings import Settings
    from lambda_latency.latency import Terms

FORMS = ("plain", "slack", "teams")
SECOND_NS = 1_000_000_000
AROUND_NS = 10 * 60 * SECOND_NS
DURATION = re.compile(r"\d+[smhd]")
EPILOG = f"""\
examples:
  lambda-latency explain shop-prod-SlowAlarm        the last time it fired
  lambda-latency explain shop-prod-SlowAlarm --at 2026-11-25T10:02:00Z
  lambda-latency explain 30m --slow 1000            the last 30 minutes
  lambda-latency explain 2026-11-25T10:00:00Z       the ten minutes before it

{EXIT_STATUSES}
"""


def add_parser(subparsers: Any, summary: str) -> None:
    """Add the command's parser with its arguments."""
    parser = subparsers.add_parser(
        "explain",
        help=summary,
        description="Explains why a CloudWatch alarm fired: fetches the slow or failing traces of its window and "
        "those of the hour before, and names the part that makes the difference, its owner, and what to do. Prints the "
        "message that the function of `lambda-latency alarm` sends.",
        epilog=EPILOG,
    )
    parser.add_argument("what", metavar="ALARM|TIME", help="an alarm's name, a time, or how long ago it began: 30m")
    parser.add_argument("--at", type=instant, metavar="T", help="the last time that the alarm fired at T or before")
    parser.add_argument("--slow", type=ms, metavar="MS", help="requests over MS milliseconds are slow")
    parser.add_argument("--ours", action="append", metavar="PATTERN", help="services and hosts that are internal")
    parser.add_argument("--theirs", action="append", metavar="PATTERN", help="the same for external ones")
    parser.add_argument("--form", choices=FORMS, default="plain", help="plain (default), slack or teams: JSON")
    parser.add_argument("--html", type=Path, metavar="F", help="write the report's page too")
    account = parser.add_argument_group("account")
    account.add_argument("--profile", metavar="P", help="profile of the AWS configuration")
    account.add_argument("--region", metavar="R", help="region of the alarm and of its traces")
    account.add_argument("--endpoint-url", metavar="U", help="address of X-Ray and CloudWatch, if not AWS")


def run(options: argparse.Namespace) -> int:
    """Explain an alarm, or the requests of a given time; returns the exit status."""
    from lambda_latency.alarm import explain, fetched, message_of, page_of, rendered
    from lambda_latency.fetch import Account, Place

    settings = settings_of(options)
    place = Place(options.profile, options.region or settings.region, options.endpoint_url)
    account = Account(place)
    alarm = _alarm(options, place, account.region)
    with tempfile.TemporaryDirectory(prefix="lambda-latency-") as folder:
        evidence = fetched(account, alarm, Path(folder), lambda: 1.0)
        if not (evidence.chosen or evidence.sample):
            lacks = evidence.lacks or ["there is no trace in the alarm's window"]
            warn(f"{lacks[0].rstrip('.')}\n  " + "\n  ".join([*lacks[1:], _window(alarm)]))
            return FAILED
        found = explain(alarm, evidence, _terms(options, settings))
        if options.html is not None:
            _write(options.html, page_of(found))
        print(rendered(message_of(found), options.form), end="" if options.form == "plain" else "\n")
    return FINE


def _terms(options: argparse.Namespace, settings: Settings) -> Terms:
    """The owners, from the options or else from the settings."""
    from lambda_latency.latency import Owners, Terms

    ours, theirs = options.ours or settings.ours, options.theirs or settings.theirs
    return Terms(owners=Owners(tuple(ours or ()), tuple(theirs or ())))


def _write(path: Path, text: str) -> None:
    from lambda_latency.files import replace_files, unwritable

    try:
        replace_files([(path, text)])
    except OSError as error:
        fail(unwritable(path, error), "name a file in a folder that you may write to")


def _alarm(options: argparse.Namespace, place: Any, region: str) -> Alarm:
    """The change of an alarm's state to explain; for a given time, an artificial one."""
    from lambda_latency.alarm import Alarm, last_ring
    from lambda_latency.fetch import Clients, refusal
    from lambda_latency.latency import instant as instant_of

    now_ns = time.time_ns()
    try:
        at_ns = instant_of(options.what, now_ns)
    except ValueError:
        try:
            found = last_ring(Clients(place).make("cloudwatch"), options.what, region, options.at)
        except Exception as error:
            raise refusal(error, place) or error from error
        return found.slower_than(options.slow) if options.slow is not None else found
    is_ago = DURATION.fullmatch(options.what.strip()) is not None
    begin, end = (at_ns, now_ns) if is_ago else (at_ns - AROUND_NS, at_ns)
    name = f"the last {options.what.strip()}" if is_ago else options.what.strip()
    return Alarm(name, region, "", "", "", begin, end, measure="other", threshold_ns=options.slow)


def _window(alarm: Alarm) -> str:
    from lambda_latency.alarm import clock

    return f"Looked from {clock(alarm.begin_ns)} to {clock(alarm.at_ns)} in {alarm.region}"
