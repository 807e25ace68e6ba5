"""The cost of tracing for a function: one handler with each way to trace it, compared with the bare handler.

Cachegrind counts instructions if valgrind is installed; times are measured in rounds in which the variants take turns.
All results are written to out/cost.json.

Usual time: 30 minutes.
"""

from __future__ import annotations

import argparse
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
from pathlib import Path
from typing import Any

from lab.cost import counting, measuring, remains, repeated, upstream, waits
from lab.cost.places import Places
from lab.cost.table import figures, markdown
from lab.cost.variants import BARE, KIT, KITS_LAYER, ROOT, VARIANTS, XRAY, Variant, interpreter
from lambda_latency.layer import layer_files
from lambda_latency.local.processes import Processes

OUT, RUNS = ROOT / "out" / "cost.json", ROOT / "out" / "cost-runs.json"
PACKAGES = ("awslambdaric", "boto3", "requests", "aws-xray-sdk", "aws-opentelemetry-distro", "opentelemetry-sdk")


def parsed() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser("python -m lab cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="cold starts of each variant, and a twentieth of its "
                        "warm requests (20)")  # fmt: skip
    parser.add_argument("--variants", type=chosen, default=VARIANTS, metavar="NAME,...",
                        help="only these, beside bare and the X-Ray SDK: "
                        + ", ".join(one.name for one in VARIANTS))  # fmt: skip
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--runs", action="store_true", help="only count bare, the X-Ray SDK and the kit, once more "
                        "beside the runs in out/cost-runs.json")  # fmt: skip
    only.add_argument("--waits", type=int, metavar="SETS", help="only the client's wait in so many sets of "
                        "environments, with bare, the X-Ray SDK and the kit if no variants are named")  # fmt: skip
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="with --runs or --waits: another checkout of "
                        "this project, whose kit is measured too")  # fmt: skip
    only.add_argument("--upstream", action="store_true", help="only count what the changes of docs/upstream would "
                        "save of a request")  # fmt: skip
    options = parser.parse_args()
    if options.waits is not None and options.waits < 1:
        parser.error(f"--waits {options.waits}: measure in 1 set or more")
    if (options.runs or options.upstream) and counting.VALGRIND is None:
        parser.error("valgrind is not here. On Debian and Ubuntu, apt install valgrind")
    return options


def main() -> int:
    """Measure and print."""
    options = parsed()
    if options.upstream:
        with Places() as places:
            print(upstream.table(VARIANTS, places.addresses))
        return 0
    if options.runs or options.waits:
        named = options.waits and options.variants != VARIANTS
        variants = list(options.variants) if named else repeated.chosen(VARIANTS)
        if options.before is not None:
            kit = next(one for one in VARIANTS if one.name == KIT)
            variants.append(repeated.before_variant(kit, options.before.resolve()))
        prepare(variants)
        return one_more(variants) if options.runs else wait(variants, options.waits)
    shutil.rmtree(KITS_LAYER, ignore_errors=True)
    for name, file in layer_files().items():
        (KITS_LAYER / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, KITS_LAYER / name)
    prepare(options.variants)
    measured: measuring.Measured = defaultdict(dict)
    with Processes() as processes, Places() as places:
        parts = [
            measuring.cold(options.variants, processes, places, options.rounds, tell),
            measuring.warm(options.variants, processes, places, options.rounds * measuring.WARM_PER_ROUND, tell),
        ]
        modules: dict[str, float] = {}
        if counting.VALGRIND is None:
            tell("valgrind is not here: times only. On Debian and Ubuntu, apt install valgrind")
        else:
            parts.append(measuring.instructions(options.variants, processes, places, tell))
            modules = modules_of(options.variants, processes, places)
    for part in parts:
        for name, measures in part.items():
            measured[name].update(measures)
    document = about(options.rounds)
    document["variants"] = figures({one.name: measured[one.name] for one in options.variants})
    if modules:
        document["remains"] = modules
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(document, indent=1) + "\n")
    print(f"{document['machine']}, Python {document['python']}, {document['date']}, {options.rounds} rounds")
    print("Over bare; in brackets as a multiple of what the X-Ray SDK adds.\n")
    print(markdown(document))
    if modules:
        print("\n" + remains.markdown(document))
    return 0


def prepare(variants: Iterable[Variant]) -> None:
    """Set up the environments of the variants, one after another: two at once would break each other's."""
    for number, pins in enumerate(sorted({variant.pins for variant in variants}), 1):
        tell(f"environment {number}: {pins}")
        interpreter(pins)


def wait(variants: list[Variant], sets: int) -> int:
    """Measure the client's wait, and print it set by set."""
    print(f"load {os.getloadavg()[0]:.2f}")
    moved = [replace(one, path=(str(waits.MOVED), *one.path)) for one in variants]
    with Processes() as processes, Places() as places:
        print(waits.table(measuring.warm(moved, processes, places, sets * measuring.SET, tell)))
    return 0


def one_more(variants: list[Variant]) -> int:
    """Count once more, and print medians and spreads of all runs."""
    with Processes() as processes, Places() as places:
        found = repeated.once(variants, processes, places.addresses, tell)
    document = {**about(1), "runs": found}
    if RUNS.exists():
        earlier = json.loads(RUNS.read_text())["runs"]
        for name, measures in found.items():
            for measure, values in measures.items():
                measures[measure] = [*earlier[name][measure], *values]
    RUNS.parent.mkdir(exist_ok=True)
    RUNS.write_text(json.dumps(document, indent=1) + "\n")
    print(repeated.markdown(document))
    return 0


def chosen(names: str) -> tuple[Variant, ...]:
    """The variants with these names; bare and the X-Ray SDK are part of every comparison."""
    wanted = {name.strip() for name in names.split(",")} | {BARE, XRAY}
    unknown = wanted - {one.name for one in VARIANTS}
    if unknown:
        raise argparse.ArgumentTypeError(f"no variant is called {', '.join(sorted(unknown))}")
    return tuple(one for one in VARIANTS if one.name in wanted)


def modules_of(variants: tuple[Variant, ...], processes: Processes, places: Places) -> dict[str, float]:
    """The instructions of each module in the kit's cold start; empty without the kit, or not on x86-64."""
    kit, bare = ({one.name: one for one in variants}.get(name) for name in (KIT, BARE))
    if kit is None or bare is None:
        return {}
    if not remains.MACHINE:
        tell("what remains of the kit's cold start is told module by module on x86-64 only")
        return {}
    tell("instructions of the kit, module by module")
    return remains.remains(kit, bare, processes, places.addresses)


def about(rounds: int) -> dict[str, Any]:
    """The machine, the date, the versions and the number of rounds."""
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())  # fmt: skip
    return {
        "machine": cpu,
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "rounds": rounds,
    }


def tell(what: str) -> None:
    """Print progress."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
