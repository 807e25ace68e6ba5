"""Does the bridge do what the X-Ray SDK does? Runs a corpus of uses with each, and compares answers and documents.

Status 1 where anything differs that is not listed with its reason.

Usual time: 30 seconds.
"""

import ast
import re
import sys
import tempfile
from argparse import ArgumentParser
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


def main(parser: ArgumentParser) -> int:
    """Run, and print a table and the differences."""
    add_sampling(parser, "uses")
    parser.add_argument("--examples", type=Path, metavar="FOLDER",
                        help="instead, the examples in a copy of Powertools' repository")  # fmt: skip
    options = parser.parse_args()
    names = uses_in(TASK / "uses.py")
    pythons = {lock.stem: _python(lock) for lock in sorted(LOCKS.glob("powertools-*.txt"))}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        layer = make_layer(Path(folder))
        if options.examples:
            return int(bool(examples(options.examples, pythons, layer, options.only)))
        uses = sampled(names, str, options, parser)
        wrong += compare("powertools-3-sdk", "powertools-3-none", "uses", uses, pythons, layer)
        for version in ("2", "3"):
            for variant in ("none", "sdk"):
                wrong += compare(
                    f"powertools-{version}-sdk",
                    f"powertools-{version}-{variant}",
                    "powertools",
                    list(POWERTOOLS),
                    pythons,
                    layer,
                )
    print("\nDifferent in every use:", *ALWAYS, sep="\n  ")
    return int(bool(wrong))


def uses_in(module: Path) -> list[str]:
    """The uses of a module: its functions with `@use`, and the keys of its tables."""
    names: list[str] = []
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list:
            names.append(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            names += [ast.literal_eval(key) for key in node.value.keys if key is not None]
    return names


def compare(sdk: str, bridge: str, module: str, uses: list[str], pythons: dict[str, Path], layer: Path) -> int:
    """Both sides of these uses; how many differ that should not, or do not that should."""
    of_sdk = observe(pythons[sdk], module, uses, layer=None)
    # Beside the SDK the function's own packages come first: then the kit has to be told that the bridge is wanted.
    chosen = {"LAMBDA_LATENCY_XRAY_SDK": "bridge"} if bridge.endswith("-sdk") else {}
    of_bridge = observe(pythons[bridge], module, uses, layer=layer, variables=chosen)
    wrong = 0
    differing = []
    print(f"\n{module}: the X-Ray SDK with {sdk}, the bridge with {bridge}")
    for use in uses:
        different = differences(use, of_sdk[use], of_bridge[use])
        expected = BUT.get(use) if module == "uses" else BUT.get(f"powertools {use}")
        verdict = _verdict(different, expected)
        print(f"  {use:<40} {verdict}")
        if verdict.isupper():
            wrong += 1
            differing.append(different or f"{use} is the same now: delete it from BUT")
    print(*differing, sep="\n", end="\n" if differing else "")
    print(f"  {len(uses)} uses, {len(uses) - wrong} as they should be")
    return wrong


def examples(repository: Path, pythons: dict[str, Path], layer: Path, only: str) -> int:
    """Each example with both sides; how many differ that should not, or do not that should."""
    differing: list[str] = []
    names = [name for name in examples_in(repository) if re.search(only, name)]
    print("| example | answer and subsegments | without the SDK | beside the SDK |\n|---|---|---|---|")
    with served() as address:
        for name in names:
            verdicts = []
            for variant, chosen in (("none", {}), ("sdk", {"LAMBDA_LATENCY_XRAY_SDK": "bridge"})):
                python = pythons[f"powertools-3-{variant}"]
                sdk, bridge = both(repository, name, pythons["powertools-3-sdk"], python, layer, address, chosen)
                different, expected = differences(name, sdk, bridge), EXPECTED.get(name)
                verdicts.append(_verdict(different, expected))
                if bool(different) is not bool(expected):
                    differing.append(different or f"{name} is the same now: delete it from BUT")
            print(f"| {name} | {_summary(bridge)} | {' | '.join(verdicts)} |", flush=True)
    print(*differing, sep="\n", end="\n" if differing else "")
    print(f"\n{len(names)} examples, {len(differing)} of {2 * len(names)} comparisons are not as they should be")
    return len(differing)


def _verdict(different: str, expected: str | None) -> str:
    """What a table says of a comparison, and why it may differ."""
    if different:
        return f"same but: {expected}" if expected else "DIFFERS"
    return "NOT DIFFERENT" if expected else "same"


def _summary(observed: Seen) -> str:
    """The answer, and the names of the subsegments."""
    names = [subsegment["name"] for subsegment in _flattened(tree(observed.documents))]
    return f"`{str(observed.answer)[:60]}`; {', '.join(names)}"


def _flattened(trees: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for subsegment in trees:
        yield subsegment
        yield from _flattened(subsegment["children"])


def _python(lock: Path) -> Path:
    python = prepare(f"bridge/{lock.stem}", lock, f"{sys.version_info.major}.{sys.version_info.minor}")
    assert python is not None
    return python
