"""The cost of tracing for a function: one handler with each way to trace it, compared with the bare handler.

Cachegrind counts instructions if valgrind is installed; times are measured in rounds in which the variants take turns.
All results are written to out/cost.json.

Usual time: 30 minutes.
"""

import argparse
import compileall
import json
import os
import platform
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from lab.commands import processor
from lab.cost import counting, measuring, repeated, waits
from lab.cost.places import Places
from lab.cost.table import figures, markdown
from lab.cost.variants import BARE, KITS_LAYER, ROOT, VARIANTS, XRAY, Variant, interpreter
from lambda_latency.layer import layer_files
from lambda_latency.local.processes import Processes

OUT, RUNS = ROOT / "out" / "cost.json", ROOT / "out" / "cost-runs.json"
PACKAGES = ("awslambdaric", "boto3", "requests", "aws-xray-sdk", "aws-opentelemetry-distro", "opentelemetry-sdk")


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options."""
    parser.add_argument("--rounds", type=int, default=20, help="cold starts of each variant, and a twentieth of its "
                        "warm requests (20)")  # fmt: skip
    parser.add_argument("--variants", type=chosen, default=VARIANTS, metavar="NAME,...",
                        help="only these, beside bare and the X-Ray SDK: "
                        + ", ".join(variant.name for variant in VARIANTS))  # fmt: skip
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--runs", action="store_true", help="only count bare, the X-Ray SDK and the kit, once more "
                        "beside the runs in out/cost-runs.json")  # fmt: skip
    only.add_argument("--waits", type=int, metavar="SETS", help="only the client's wait in so many sets of "
                        "environments, with bare, the X-Ray SDK and the kit if no variants are named")  # fmt: skip
    options = parser.parse_args()
    if options.waits is not None and options.waits < 1:
        parser.error(f"--waits {options.waits}: measure in 1 set or more")
    if options.runs and counting.VALGRIND is None:
        parser.error("valgrind is not here. On Debian and Ubuntu, apt install valgrind")
    return options


def main(parser: argparse.ArgumentParser) -> int:
    """Measure and print."""
    options = parsed(parser)
    if options.runs or options.waits:
        named = options.waits and options.variants != VARIANTS
        variants = list(options.variants) if named else repeated.chosen(VARIANTS)
        prepare(variants)
        return one_more(variants) if options.runs else wait(variants, options.waits)
    shutil.rmtree(KITS_LAYER, ignore_errors=True)
    for name, file in layer_files().items():
        (KITS_LAYER / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, KITS_LAYER / name)
    prepare(options.variants)
    measured = measure(options.variants, options.rounds)
    document = about(options.rounds)
    document["variants"] = figures({variant.name: measured[variant.name] for variant in options.variants})
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(document, indent=1) + "\n")
    print(f"{document['machine']}, Python {document['python']}, {document['date']}, {options.rounds} rounds")
    print("Over bare; in brackets as a multiple of what the X-Ray SDK adds.\n")
    print(markdown(document))
    return 0


def measure(variants: tuple[Variant, ...], rounds: int) -> measuring.Measured:
    """All measures of the variants."""
    with Processes() as processes, Places() as places:
        parts = [
            measuring.cold(variants, processes, places, rounds, tell),
            measuring.warm(variants, processes, places, rounds * measuring.WARM_PER_ROUND, tell),
        ]
        if counting.VALGRIND is None:
            tell("valgrind is not here: times only. On Debian and Ubuntu, apt install valgrind")
        else:
            parts.append(measuring.instructions(variants, processes, places, tell))
    measured: measuring.Measured = defaultdict(dict)
    for part in parts:
        for name, measures in part.items():
            measured[name].update(measures)
    return measured


def prepare(variants: Iterable[Variant]) -> None:
    """Set up the environments of the variants, one after another: two at once would break each other's.

    The sandbox writes no bytecode: without it, each cold start of a new checkout would compile the kit's modules.
    """
    compileall.compile_dir(ROOT / "otel", quiet=1)
    for number, pins in enumerate(sorted({variant.pins for variant in variants}), 1):
        tell(f"environment {number}: {pins}")
        interpreter(pins)


def wait(variants: list[Variant], sets: int) -> int:
    """Measure the client's wait, and print it set by set."""
    print(f"load {os.getloadavg()[0]:.2f}")
    moved = [replace(variant, path=(str(waits.MOVED), *variant.path)) for variant in variants]
    with Processes() as processes, Places() as places:
        print(waits.table(measuring.warm(moved, processes, places, sets * measuring.SET, tell)))
    return 0


def one_more(variants: list[Variant]) -> int:
    """Count once more, and print medians and spreads of all runs."""
    with Processes() as processes, Places() as places:
        counts = repeated.once(variants, processes, places.addresses, tell)
    document = {**about(1), "runs": counts}
    if RUNS.exists():
        earlier = json.loads(RUNS.read_text())["runs"]
        for name, measures in counts.items():
            for measure, values in measures.items():
                measures[measure] = [*earlier[name][measure], *values]
    RUNS.parent.mkdir(exist_ok=True)
    RUNS.write_text(json.dumps(document, indent=1) + "\n")
    print(repeated.markdown(document))
    return 0


def chosen(names: str) -> tuple[Variant, ...]:
    """The variants with these names; bare and the X-Ray SDK are part of every comparison."""
    chosen_names = {name.strip() for name in names.split(",")} | {BARE, XRAY}
    unknown = chosen_names - {variant.name for variant in VARIANTS}
    if unknown:
        raise argparse.ArgumentTypeError(f"no variant is called {', '.join(sorted(unknown))}")
    return tuple(variant for variant in VARIANTS if variant.name in chosen_names)


def about(rounds: int) -> dict[str, Any]:
    """The machine, the date, the versions and the number of rounds."""
    return {
        "machine": processor(),
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "rounds": rounds,
    }


def tell(text: str) -> None:
    """Print progress."""
    print(text, file=sys.stderr, flush=True)
