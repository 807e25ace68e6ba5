"""Deploys the template to a stack of its own, looks at each sentence that was never seen on AWS, and deletes it all.

It says account, profile, region, cost and what it creates, and asks once before it spends anything. `--emulator` runs
the same on the emulator of AWS, first stopped half way: nothing may be left then, either. Status 0: every sentence
about AWS was seen, and nothing is left; 1: AWS answered otherwise, or something is left; 4: something could not be
seen there, with the reason, or is kept.

Usual time: 30 minutes.
"""

import argparse
import contextlib
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from zipfile import BadZipFile

from botocore.exceptions import BotoCoreError, ClientError

from lab.commands import ROOT
from lab.destination import NowhereError, account_of, confirmed, destination_of
from lab.prove.configured import PAYMENTS
from lab.prove.leavings import earlier
from lab.prove.place import Account, Answer, EmulatorPlace, Place
from lab.prove.policy import PREFIX, policy
from lab.prove.scene import DESTINATIONS, Evidence, LackingError, Scene, Sentence, UnexpectedError, is_unasked
from lab.prove.sentences import CALLS, SENTENCES
from lambda_latency.adopt import AdoptError
from lambda_latency.fetch import FetchError
from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import Processes

OUT = ROOT / "out" / "prove.json"
SEEN = {True: "seen", False: "NOT SEEN", None: "cannot be seen"}
COST = """\
creates the stacks {stack}, {stack}-adopted and {stack}-plain, a topic and a queue, with the tag
        lambda-latency-prove; sends about fifty requests, looks at X-Ray and CloudWatch, and deletes all of it: some
        thirty minutes
costs   less than a dollar: traces, requests, invocations, and the metrics of its alarms for some minutes; SAM's bucket
        for artifacts stays, with what SAM put into it, and X-Ray keeps the traces for thirty days
"""
WRONG_FORM = (KeyError, IndexError, TypeError, ValueError, AttributeError)
ERRORS = (LocalError, BotoCoreError, ClientError, AssertionError, FetchError, AdoptError)


def main(parser: argparse.ArgumentParser) -> int:
    """0 if every sentence about AWS was seen, and nothing is left."""
    parser.add_argument("--emulator", action="store_true", help="on the emulator of AWS on this machine")
    parser.add_argument("--only", default="", metavar="TEXT", help="only sentences that have this in them")
    parser.add_argument("--keep", action="store_true", help="delete nothing; print what there is, and how to delete it")
    parser.add_argument("--delete", default="", metavar="RUN", help="delete what an earlier run left, and end")
    parser.add_argument("--boundary", default="", metavar="ARN", help="permissions boundary of the roles that it makes")
    parser.add_argument("--report", type=Path, default=OUT, metavar="FILE", help="where the result is written as JSON")
    parser.add_argument("--print-policy", action="store_true", help="print the IAM policy that it needs, and exit")
    parser.add_argument("--region", default="", metavar="R", help="the region (docs/how-to/deploy.md has the order)")
    parser.add_argument("--profile", default="", metavar="P", help="the profile of the AWS configuration")
    parser.add_argument("--yes", action="store_true", help="the answer to the question")
    options = parser.parse_args()
    if options.print_policy:
        print(policy(options.boundary))
        return 0
    sentences = [sentence for sentence in SENTENCES if options.only.lower() in sentence.text.lower()]
    if not sentences:
        parser.error(f"no sentence has {options.only!r} in it")
    try:
        return on_emulator(sentences, options.report) if options.emulator else on_aws(sentences, options)
    except KeyboardInterrupt:
        return 130
    except NowhereError as error:
        print(error, file=sys.stderr)
    except ERRORS as error:
        print(f"FAILED: {error}", file=sys.stderr)
    return 1


def on_aws(sentences: Sequence[Sentence], options: argparse.Namespace) -> int:
    """In the account of the credentials."""
    destination = destination_of(ROOT, os.environ, region=options.region, profile=options.profile)
    print(destination, flush=True)  # before the first call
    place = Account(options.delete or f"{PREFIX}-{secrets.token_hex(3)}", destination, options.boundary)
    print(f"account {account_of(destination.session())}")
    if options.delete:
        return delete_run(place, yes=options.yes)
    runs = earlier(place.client)
    if runs:  # one of them may be going on
        print(f"of other runs there is {', '.join(runs)}; to delete one: make prove ARGS='--delete {runs[0]}'")
    print(COST.format(stack=place.stack), end="")
    answer = confirmed("Go on?", yes=options.yes, terminal=sys.stdin, out=sys.stdout)
    if not answer:
        return 2 if answer is None else 0
    say = progress()
    build(place, say)
    results = prove(place, sentences, say, keep=options.keep)
    return report(results, place, options.report, is_kept=options.keep)


def delete_run(place: Account, *, yes: bool) -> int:
    """Delete what an earlier run left, after a list of it."""
    print(*(f"        {name}" for name in place.left()), sep="\n")
    answer = confirmed("Delete all of this?", yes=yes, terminal=sys.stdin, out=sys.stdout)
    if not answer:
        return 2 if answer is None else 0
    with deleted(place, progress()):
        pass
    return 1 if place.left() else 0


def on_emulator(sentences: Sequence[Sentence], out: Path) -> int:
    """Stopped half way, then to its end."""
    with tempfile.TemporaryDirectory(prefix="lambda-latency-prove-"), ExitStack() as stack:
        processes = stack.enter_context(Processes())
        log: list[str] = []
        place = EmulatorPlace("lambda-latency-prove", processes, log.append)
        stack.callback(place.close)
        say = progress()
        build(place, say)
        with contextlib.suppress(KeyboardInterrupt):
            prove(place, sentences, say, stop=True)
        assert place.left() == [], f"left after a stop: {place.left()}"
        say("stopped half way: nothing is left")
        return report(prove(place, sentences, say), place, out)


def progress() -> Callable[[str], None]:
    """Prints what is being done, with the time since the start."""
    start_s = time.monotonic()
    return lambda text: print(f"{time.monotonic() - start_s:5.0f} s  {text}", flush=True)


def build(place: Place, say: Callable[[str], None]) -> None:
    """Build the template."""
    say("building")
    place.build()


def prove(
    place: Place, sentences: Sequence[Sentence], say: Callable[[str], None], *, keep: bool = False, stop: bool = False
) -> list[tuple[Sentence, Evidence]]:
    """Each sentence with its evidence; whatever happens, the stack is deleted. `stop` ends it as Ctrl-C would."""
    with kept(place, say) if keep else deleted(place, say):
        destination = kept_where(place, say) if isinstance(place, Account) else ""
        say(f"deploying {place.stack}")
        place.deploy(PAYMENTS)
        say(f"sending {len(CALLS)} requests")
        answers = [answered(place, *call) for call in CALLS]
        if stop:
            raise KeyboardInterrupt
        scene = Scene(place, answers, destination) if isinstance(place, Account) else None
        results = []
        for number, sentence in enumerate(sentences, 1):
            say(f"{number} of {len(sentences)}: {sentence.text}")
            evidence = Evidence(None, sentence.unseen) if scene is None else look(sentence, scene)
            say(f"        {SEEN[evidence.seen]}: {evidence.text}")
            results.append((sentence, evidence))
        return results


def answered(place: Place, method: str, path: str, status: int) -> Answer:
    """The answer to a request. Raises `LocalError` unless it has the status: no check means anything then."""
    answer = place.call(method, path)
    if answer.status != status:
        raise LocalError(
            f"{method} {path} answered {answer.status}, not {status}", "look at the functions' logs: --keep keeps them"
        )
    return answer


def kept_where(place: Account, say: Callable[[str], None]) -> str:
    """Where X-Ray keeps what it gets, in this account and region; a form that is not documented is named."""
    try:
        destination = str(place.client("xray").get_trace_segment_destination().get("Destination", "nothing"))
    except ClientError as error:
        say(f"GetTraceSegmentDestination: {error}; traces are looked for in X-Ray")
        return "XRay"
    undocumented = "" if destination in DESTINATIONS else ", which is not a documented answer"
    say(f"traces are kept in {destination}{undocumented}")
    return destination


def look(sentence: Sentence, scene: Scene) -> Evidence:
    """The evidence of a sentence; what fails in one is told, and the others are looked at."""
    try:
        return sentence.check(scene)
    except LackingError as error:
        return Evidence(None, str(error))
    except ClientError as error:
        text = f"could not be asked: {error.operation_name}: {str(error)[:120]}"
        return Evidence(None if is_unasked(error) else False, text)
    except BotoCoreError as error:
        return Evidence(None, f"could not be asked: {str(error)[:160]}")
    except (UnexpectedError, FetchError, OSError, BadZipFile, *WRONG_FORM) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        return Evidence(False, f"unexpected answer of AWS: {reason[:160]}")
    except ERRORS as error:
        return Evidence(False, f"failed: {str(error)[:160]}")


@contextlib.contextmanager
def deleted(place: Place, say: Callable[[str], None]) -> Iterator[None]:
    """Deletes everything at the end; a Ctrl-C does not stop that, and a failure does not hide an earlier one."""
    try:
        yield
    finally:
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            place.delete(say)
        except ERRORS as error:
            say(f"deleting failed: {error}")
        finally:
            signal.signal(signal.SIGINT, handler)
        say(f"left: {', '.join(place.left()) or 'nothing'}")


@contextlib.contextmanager
def kept(place: Place, say: Callable[[str], None]) -> Iterator[None]:
    """Deletes nothing, and says how to."""
    try:
        yield
    finally:
        say(f"{place.stack} is kept: make prove ARGS='--delete {place.stack}' deletes it")


def report(results: Sequence[tuple[Sentence, Evidence]], place: Place, out: Path, *, is_kept: bool = False) -> int:
    """Print the table and write it; returns the exit status."""
    width = max(len(sentence.text) for sentence, _ in results)
    for sentence, evidence in results:
        print(f"{sentence.text:<{width}}  {SEEN[evidence.seen]:<14}  {evidence.text}")
    remaining = place.left()
    document = {
        "stack": place.stack,
        "region": place.region,
        "emulator": place.is_emulator,
        "date": time.strftime("%Y-%m-%d"),
        "sentences": [
            {"sentence": s.text, "seen": evidence.seen, "evidence": evidence.text} for s, evidence in results
        ],
        "left": remaining,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(f"{json.dumps(document, indent=2)}\n")
    counts = [sum(evidence.seen is which for _, evidence in results) for which in (True, False, None)]
    print("\n{} seen, {} not seen, {} cannot be seen here.".format(*counts), f"{out} has the table, for an issue.")
    print(f"Left: {', '.join(remaining) or 'nothing'}.")
    return status_of(results, remaining, is_emulator=place.is_emulator, is_kept=is_kept)


def status_of(
    results: Sequence[tuple[Sentence, Evidence]], remaining: Sequence[str], *, is_emulator: bool, is_kept: bool = False
) -> int:
    """The exit status: 1 for a sentence that AWS denies or for what is left, 4 for a proof that is not complete."""
    if any(evidence.seen is False for _, evidence in results) or (remaining and not is_kept):
        return 1
    is_complete = all(evidence.seen or not sentence.is_about_aws for sentence, evidence in results)
    return 0 if is_emulator or (is_complete and not is_kept) else 4
