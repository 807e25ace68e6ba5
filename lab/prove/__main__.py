"""Deploys the template to a stack of its own, looks at each sentence that was never seen on AWS, and deletes it all.

It asks once before it spends anything. `--emulator` runs the same on the emulator of AWS, first
stopped half way: nothing may be left then, either.

Usual time: 10 minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from lab.commands import ROOT
from lab.prove.place import Account, Emulator, Place
from lab.prove.sentences import CALLS, PAYMENTS, SENTENCES, Evidence, Scene, Sentence
from lambda_latency.local.errors import LocalError
from lambda_latency.local.processes import Processes

OUT = ROOT / "out" / "prove.json"
SEEN = {True: "yes", False: "NO", None: "not shown"}
COST = """\
This deploys the template to a new stack ({stack}, {region}), sends about ten requests, looks at X-Ray and
CloudWatch, and deletes the stack and its table: some ten minutes. It costs less than a dollar: a dozen traces, requests
and invocations, and the metrics of its alarms for some minutes. SAM's bucket for artifacts stays.
"""


def main() -> int:
    """0 if no sentence was seen to be wrong, and nothing is left."""
    parser = argparse.ArgumentParser("python -m lab prove", description=__doc__)
    parser.add_argument("--emulator", action="store_true", help="on the emulator of AWS on this machine")
    options = parser.parse_args()
    try:
        return on_emulator() if options.emulator else on_aws()
    except KeyboardInterrupt:
        return 130
    except (LocalError, BotoCoreError, ClientError, AssertionError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1


def on_aws() -> int:
    """In the account of the credentials."""
    place = Account(f"lambda-latency-prove-{secrets.token_hex(3)}")
    print(COST.format(stack=place.stack, region=place.region))
    try:
        answer = input("Go on? [y/N] ")
    except EOFError:  # nobody is there to ask
        answer = ""
    if answer.strip().lower() != "y":
        print("Nothing was done.")
        return 0
    return report(prove(place), place)


def on_emulator() -> int:
    """Stopped half way, then to its end."""
    with tempfile.TemporaryDirectory(prefix="lambda-latency-prove-"), ExitStack() as stack:
        processes = stack.enter_context(Processes())
        log: list[str] = []
        place = Emulator("lambda-latency-prove", processes, log.append)
        stack.callback(place.close)
        with contextlib.suppress(KeyboardInterrupt):
            prove(place, stop=True)
        assert place.left() == [], f"left after a stop: {place.left()}"
        print("Stopped half way: nothing is left.\n")
        return report(prove(place), place)


def prove(place: Place, *, stop: bool = False) -> list[tuple[Sentence, Evidence]]:
    """Each sentence with its evidence; whatever happens, the stack is deleted. `stop` ends it as Ctrl-C would."""
    place.build()
    with deleted(place):
        place.deploy(PAYMENTS)
        answers = [place.call(method, path, body) for method, path, body in CALLS]
        if stop:
            raise KeyboardInterrupt
        scene = Scene(place, answers)
        return [(sentence, look(sentence, scene)) for sentence in SENTENCES]


def look(sentence: Sentence, scene: Scene) -> Evidence:
    """The evidence of a sentence; what AWS refuses is told, and the others are looked at."""
    if scene.place.is_emulator:
        return Evidence(None, sentence.unseen)
    try:
        return sentence.check(scene)
    except (ClientError, BotoCoreError, LocalError, KeyError, IndexError) as error:
        return Evidence(None, f"could not be asked: {str(error)[:120]}")


@contextlib.contextmanager
def deleted(place: Place) -> Iterator[None]:
    """Deletes the stack at the end; a Ctrl-C does not stop that."""
    try:
        yield
    finally:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        print(f"Deleting {place.stack} ...", flush=True)
        try:
            place.delete()
        finally:
            signal.signal(signal.SIGINT, before)


def report(found: Sequence[tuple[Sentence, Evidence]], place: Place) -> int:
    """Print the table and write it; returns the exit status."""
    width = max(len(sentence.text) for sentence, _ in found)
    for sentence, evidence in found:
        print(f"{sentence.text:<{width}}  {SEEN[evidence.seen]:<9}  {evidence.text}")
    left = place.left()
    document = {
        "stack": place.stack,
        "region": place.region,
        "emulator": place.is_emulator,
        "date": time.strftime("%Y-%m-%d"),
        "sentences": [
            {"sentence": one.text, "seen": evidence.seen, "evidence": evidence.text} for one, evidence in found
        ],
        "left": left,
    }
    OUT.parent.mkdir(exist_ok=True)
    Path(OUT).write_text(f"{json.dumps(document, indent=2)}\n")
    print(f"\n{OUT.relative_to(ROOT)} has the table. Left: {', '.join(left) or 'nothing'}.")
    return 1 if left or any(evidence.seen is False for _, evidence in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
