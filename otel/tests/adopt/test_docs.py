"""The snippet for Terraform gives a function what `adopt --vendor` gives it."""

import re

from lambda_latency.adopt import AdoptOptions
from lambda_latency.adopt.wording import adot_numbers, variables
from lambda_latency.adot import PYTHON
from tests.docs.pages import page

PAGE = page("how-to/adopt.md")
HERE = {
    "adot": PYTHON.arn("us-east-1", adot_numbers(AdoptOptions())["us-east-1"]),
    "collector": "arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1",
}


def expected() -> dict[str, str]:
    """The variables with tracing on, in a region that has a collector."""
    found = variables(AdoptOptions(), bridge=True)
    taken = {name: re.match(r'!If \[\w+, "?([^",]+)"?,', str(text)) for name, text in found.items()}
    return {name: match[1] for name, match in taken.items() if match}


def test_the_module_of_terraform_has_what_adopt_writes() -> None:
    """Layers in the same order, the same variables, the mode, and the permission."""
    (source,) = PAGE.blocks("hcl")
    assert dict(re.findall(r'^ {6}(\w+) += "(.*)"$', source, re.MULTILINE)) == expected()
    layers = re.search(r"layers = \[(.*?)\]", source, re.DOTALL)
    assert layers is not None
    assert re.findall(r"[^\s,]+", layers[1]) == [
        "aws_lambda_layer_version.lambda_latency.arn",
        f'"{HERE["adot"]}"',
        f'"{HERE["collector"]}"',
    ]
    assert ('mode = "Active"' in source, "AWSXRayDaemonWriteAccess" in source) == (True, True)
    assert source.count("{") == source.count("}")
