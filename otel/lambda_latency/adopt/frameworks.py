"""The lines that trace a CDK app or a Serverless Framework service with the kit's deployed layer."""

from __future__ import annotations

from pathlib import Path

from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.wording import EXPORT, WRAPPER
from lambda_latency.template import usual_template

# The files of a framework, and the texts for it, in which @NAMES@ stand for the layer's ARN and the variables.
FRAMEWORKS = {"cdk.json": "cdk_aspect.txt", "serverless.yml": "serverless.txt", "serverless.yaml": "serverless.txt"}


def framework_lines(path: Path, layer: str) -> str:
    """The lines for the app at a path; empty where it has a SAM template, or no file of a framework.

    Raises `AdoptError` without a layer: the lines name a deployed one.
    """
    if path.is_dir() and usual_template(path) is not None:
        return ""
    names = [path.name, *(name for name in FRAMEWORKS if (path / name).is_file())]
    name = next(filter(FRAMEWORKS.__contains__, names), "")
    if name and not layer:
        todo = "--layer ARN prints the lines for it; `lambda-latency stack layer` deploys the layer"
        raise AdoptError(f"{name} is of no SAM app", todo)
    text = Path(__file__).with_name(FRAMEWORKS[name]).read_text(encoding="utf-8") if name else ""
    for field, value in {"LAYER": layer, "WRAPPER": WRAPPER, "EXPORT": EXPORT}.items():
        text = text.replace(f"@{field}@", value)
    return text
