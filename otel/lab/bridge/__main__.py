"""Does the bridge do what the X-Ray SDK does? Runs a corpus of uses with each, and compares answers and documents.

Status 1 where anything differs that is not listed with its reason.

Usual time: 30 seconds.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.bridge.comparison import ALWAYS, BUT, differences, tree
from lab.bridge.examples import EXPECTED, both, examples_in, served
from lab.bridge.sides import ROOT, TASK, Seen, make_layer, observe
from lab.same.pythons import prepare
from lab.sampling import add_sampling, sampled

POWERTOOLS = ("sum", "async", "generator", "block", "quiet failure", "failure")
LOCKS = ROOT / "requirements" / "bridge"


def main() -> int:
    """Run, and print a table and the differences."""
    parser = argparse.ArgumentParser("python -m lab bridge", description=__doc__)
    add_sampling(parser, "uses")
    parser.add_argument("--examples", type=Path, metavar="FOLDER",
                        help="instead, the examples in a copy of Powertools' repository")  # fmt: skip
    options = parser.parse_args()
    names = re.findall(r"@use\n(?:async )?def (\w+)", (TASK / "uses.py").read_text(encoding="utf-8"))
    pythons = {lock.stem: _python(lock) for lock in sorted(LOCKS.glob("powertools-*.txt"))}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        layer = make_layer(Path(folder))
        if options.examples:
            return int(bool(examples(options.examples, pythons, layer, options.only)))
        uses = sampled(names, str, options, parser)
        wrong += compare("powertools-3-sdk", "powertools-3-none", "uses", uses, pythons, layer)
        for version in ("2", "3"):
            for other in ("none", "sdk"):
                wrong += compare(
                    f"powertools-{version}-sdk",
                    f"powertools-{version}-{other}",
                    "powertools",
                    list(POWERTOOLS),
                    pythons,
                    layer,
                )
    print("\nDifferent in every use:", *ALWAYS, sep="\n  ")
    return int(bool(wrong))


def compare(sdk: str, other: str, module: str, uses: list[str], pythons: dict[str, Path], layer: Path) -> int:
    """Both sides of these uses; how many differ that should not, or do not that should."""
    theirs = observe(pythons[sdk], module, uses, layer=None)
    # Beside the SDK the function's own packages come first: then the kit has to be told that the bridge is wanted.
    chosen = {"LAMBDA_LATENCY_XRAY_SDK": "bridge"} if other.endswith("-sdk") else {}
    ours = observe(pythons[other], module, uses, layer=layer, variables=chosen)
    wrong = 0
    told = []
    print(f"\n{module}: the X-Ray SDK with {sdk}, the bridge with {other}")
    for use in uses:
        different = differences(use, theirs[use], ours[use])
        expected = BUT.get(use) if module == "uses" else BUT.get(f"powertools {use}")
        verdict = _verdict(different, expected)
        print(f"  {use:<40} {verdict}")
        if verdict.isupper():
            wrong += 1
            told.append(different or f"{use} is the same now: delete it from BUT")
    print(*told, sep="\n", end="\n" if told else "")
    print(f"  {len(uses)} uses, {len(uses) - wrong} as they should be")
    return wrong


def examples(repository: Path, pythons: dict[str, Path], layer: Path, only: str) -> int:
    """Each example with both sides; how many differ that should not, or do not that should."""
    told: list[str] = []
    names = [name for name in examples_in(repository) if re.search(only, name)]
    print("| example | answer and subsegments | without the SDK | beside the SDK |\n|---|---|---|---|")
    with served() as address:
        for name in names:
            verdicts = []
            for other, chosen in (("none", {}), ("sdk", {"LAMBDA_LATENCY_XRAY_SDK": "bridge"})):
                python = pythons[f"powertools-3-{other}"]
                sdk, bridge = both(repository, name, pythons["powertools-3-sdk"], python, layer, address, chosen)
                different, expected = differences(name, sdk, bridge), EXPECTED.get(name)
                verdicts.append(_verdict(different, expected))
                if bool(different) is not bool(expected):
                    told.append(different or f"{name} is the same now: delete it from BUT")
            print(f"| {name} | {_told(bridge)} | {' | '.join(verdicts)} |", flush=True)
    print(*told, sep="\n", end="\n" if told else "")
    print(f"\n{len(names)} examples, {len(told)} of {2 * len(names)} comparisons are not as they should be")
    return len(told)


def _verdict(different: str, expected: str | None) -> str:
    """What a table says of a comparison, and why it may differ."""
    if different:
        return f"same but: {expected}" if expected else "DIFFERS"
    return "NOT DIFFERENT" if expected else "same"


def _told(seen: Seen) -> str:
    """The answer, and the names of the subsegments."""
    names = [one["name"] for one in _every(tree(seen.documents))]
    return f"`{str(seen.answer)[:60]}`; {', '.join(names)}"


def _every(trees: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in trees:
        yield one
        yield from _every(one["children"])


def _python(lock: Path) -> Path:
    python = prepare(f"bridge/{lock.stem}", lock, f"{sys.version_info.major}.{sys.version_info.minor}")
    assert python is not None
    return python


if __name__ == "__main__":
    raise SystemExit(main())
