"""The lines that each part of the project may have: a test fails when a part grows past its figure.

A change that needs more raises the figure in the same commit and says why in its message; a change that deletes lowers
it. Lines are counted with docstrings and blank lines, those of Python files alone.
"""

from collections.abc import Iterator
from pathlib import Path

from lab.house.lines import python_files

# By folder. Of the kit every subpackage has its row, and what lies beside them is `otel/lambda_latency`.
BUDGET = {
    "functions": 760,
    "otel/lambda_latency": 770,
    "otel/lambda_latency/adopt": 2_660,
    "otel/lambda_latency/agent": 2_090,
    "otel/lambda_latency/alarm": 1_410,
    "otel/lambda_latency/archive": 1_710,
    "otel/lambda_latency/bridge": 1_700,
    "otel/lambda_latency/cli": 4_240,
    "otel/lambda_latency/diff": 1_430,
    "otel/lambda_latency/doctor": 3_770,
    "otel/lambda_latency/example": 330,
    "otel/lambda_latency/fetch": 2_050,
    "otel/lambda_latency/http": 260,
    "otel/lambda_latency/latency": 10_780,
    "otel/lambda_latency/live": 1_670,
    "otel/lambda_latency/local": 11_270,
    "otel/lambda_latency/page": 1_200,
    "otel/lambda_latency/prices": 610,
    "otel/lambda_latency/redaction": 1_670,
    "otel/lambda_latency/runtime": 8_090,
    "otel/lambda_latency/template": 1_600,
    "otel/lambda_latency/testing": 2_680,
    "otel/lambda_latency/text": 4_530,
    "otel/lambda_latency/trace": 6_840,
    "otel/lab": 25_290,
    "otel/tests": 62_700,
    "tests": 1_500,
}


def over_budget(checkout: Path) -> Iterator[str]:
    """Yield a sentence for each part with more lines than its figure, and for each subpackage without a figure."""
    kit = checkout / "otel" / "lambda_latency"
    for path in sorted(path.parent for path in kit.glob("*/__init__.py")):
        if str(path.relative_to(checkout)) not in BUDGET:
            yield f"{path.relative_to(checkout)} has no figure in otel/lab/house/budget.py"
    for name, figure in BUDGET.items():
        folder = checkout / name
        files = kit.glob("*.py") if folder == kit else python_files(folder)
        lines = sum(len(path.read_bytes().splitlines()) for path in files)
        if lines > figure:
            remedy = "delete elsewhere in it, or raise it and say why"
            yield f"{name} has {lines:,} lines, its figure is {figure:,}: {remedy}"
