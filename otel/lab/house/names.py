"""Names that say nothing, functions that cannot be read once, class names borne twice: their figures may only fall.

`make check` prints them by part and fails when a part has more than its row, or less: a change that lowers a figure
lowers it here as well.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lab.house.lines import python_files

# Words without a meaning of their own, as targets of assignments and as arguments.
VAGUE = re.compile(
    "after|again|asked|at|before|begun|each|every|few|first|found|given|here|kept|known|last|left|many|most|now|one|other|"
    "others|ours|own|real|rest|same|seen|some|such|that|theirs|there|these|this|those|told|usual|wanted|what"
)
BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.comprehension)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPLEX = 10  # cyclomatic complexity that a function may have


class Figures(NamedTuple):
    """Vague names and complex functions, as counts; class names of the part that two modules bear."""

    vague: int
    complex: int
    shared: int = 0


FIGURES = {
    "otel/lambda_latency": Figures(36, 106, 1),
    "otel/lambda_latency/adopt": Figures(0, 5, 0),
    "otel/lambda_latency/agent": Figures(5, 2, 0),
    "otel/lambda_latency/alarm": Figures(0, 0, 0),
    "otel/lambda_latency/archive": Figures(0, 0, 0),
    "otel/lambda_latency/bridge": Figures(0, 2, 0),
    "otel/lambda_latency/cli": Figures(3, 5, 0),
    "otel/lambda_latency/diff": Figures(1, 0, 0),
    "otel/lambda_latency/doctor": Figures(1, 7, 0),
    "otel/lambda_latency/example": Figures(0, 0, 0),
    "otel/lambda_latency/fetch": Figures(2, 1, 0),
    "otel/lambda_latency/http": Figures(0, 0, 0),
    "otel/lambda_latency/latency": Figures(3, 9, 0),
    "otel/lambda_latency/live": Figures(2, 2, 0),
    "otel/lambda_latency/local": Figures(1, 20, 0),
    "otel/lambda_latency/page": Figures(1, 3, 0),
    "otel/lambda_latency/prices": Figures(0, 1, 0),
    "otel/lambda_latency/redaction": Figures(2, 2, 0),
    "otel/lambda_latency/runtime": Figures(2, 18, 0),
    "otel/lambda_latency/template": Figures(3, 4, 0),
    "otel/lambda_latency/testing": Figures(5, 7, 0),
    "otel/lambda_latency/text": Figures(0, 2, 0),
    "otel/lambda_latency/trace": Figures(3, 16, 0),
    "otel/lab": Figures(137, 25, 9),
    "otel/tests": Figures(237, 118, 14),
}


def complexity(function: ast.AST) -> int:
    """The cyclomatic complexity of a function, its nested functions included."""
    score = 1
    for node in ast.walk(function):
        score += isinstance(node, BRANCHES)
        if isinstance(node, ast.BoolOp):
            score += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            score += len(node.ifs)
        elif isinstance(node, ast.Match):
            score += len(node.cases)
    return score


def names_in(tree: ast.AST) -> Iterator[str]:
    """Yield each name that is assigned or taken as an argument."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


@cache
def counted(folder: Path) -> tuple[Figures, int, int]:
    """Count in all modules below a folder: the figures, and the number of all names and of all functions."""
    vague = complex_functions = names = functions = 0
    modules: defaultdict[str, set[Path]] = defaultdict(set)
    for path in python_files(folder):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = list(ast.walk(tree))
        complexities = [complexity(node) for node in nodes if isinstance(node, FUNCTIONS)]
        functions += len(complexities)
        complex_functions += sum(score > COMPLEX for score in complexities)
        matches = [VAGUE.fullmatch(name) is not None for name in names_in(tree)]
        names += len(matches)
        vague += sum(matches)
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                modules[node.name].add(path)
    return Figures(vague, complex_functions, sum(len(paths) > 1 for paths in modules.values())), names, functions


def parts(checkout: Path) -> list[str]:
    """The kit's subpackages, and the parts that have a row."""
    kit = checkout / "otel" / "lambda_latency"
    subpackages = sorted(path.parent.relative_to(checkout).as_posix() for path in kit.glob("*/__init__.py"))
    return [*subpackages, *(part for part in FIGURES if part not in subpackages)]


def unlike_figures(checkout: Path) -> Iterator[str]:
    """Yield a sentence for each part with more or less of something than its row; without a row it may have none."""
    for part in parts(checkout):
        counts, *_ = counted(checkout / part)
        for kind, count, figure in zip(Figures._fields, counts, FIGURES.get(part, Figures(0, 0)), strict=True):
            if count != figure:
                why = "may only fall" if count > figure else "is too high: lower it"
                yield f"{part}: {kind} {count:,}; its figure in otel/lab/house/names.py, {figure:,}, {why}"


def table(checkout: Path) -> Iterator[str]:
    """Yield a line for each part: the shares of vague names and of complex functions, and the shared class names."""
    yield f"{'':32}{'vague names':>12}{'complex functions':>20}{'shared class names':>20}"
    for part in parts(checkout):
        figures, names, functions = counted(checkout / part)
        vague, complex_share = figures.vague / max(names, 1), figures.complex / max(functions, 1)
        yield f"{part:32}{vague:>12.1%}{complex_share:>20.1%}{figures.shared:>20}"


if __name__ == "__main__":
    checkout = Path(__file__).parents[3]
    unlike = list(unlike_figures(checkout))
    print(*table(checkout), *unlike, sep="\n")
    sys.exit(bool(unlike))
