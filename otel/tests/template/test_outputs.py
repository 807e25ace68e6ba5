"""What a deployment gives in the end: addresses to open and commands to paste."""

from __future__ import annotations

import json
import shlex

import pytest

from lambda_latency.cli.entry import parser
from tests.template.deployed import deploy

TRACED = ["ApiUrl", "DashboardUrl", "Report", "TryIt"]


@pytest.mark.parametrize(
    ("tracing", "names"), [("Active", TRACED), ("PassThrough", TRACED), ("Off", ["ApiUrl", "DashboardUrl", "TryIt"])]
)
def test_a_deployment_says_what_to_do_next(tracing: str, names: list[str]) -> None:
    """Each output with its sentence; those of traces only where there are any."""
    outputs = deploy(Tracing=tracing).outputs

    assert sorted(outputs) == names
    assert all(one["Description"].endswith(".") for one in outputs.values())


def test_the_next_command_is_one_that_there_is() -> None:
    """`lambda-latency report` of this stack's own traces, in its own region."""
    value = deploy("eu-west-1", Stage="prod").outputs["Report"]["Value"]["Fn::Sub"]
    command, *arguments = shlex.split(value)

    assert command == "lambda-latency"
    options = parser().parse_args(arguments)
    assert (options.command, options.xray, options.region) == ("report", True, "eu-west-1")
    # Passed through, the stage records nothing, and a trace has the names of functions only.
    assert options.filter == (
        'service("shop/prod") OR service("${CreateOrder}") OR service("${GetOrder}") OR service("${ListOrders}")'
        ' OR service("${CancelOrder}")'
    )


def test_the_curl_to_paste_makes_an_order() -> None:
    """What it sends is a valid body; where it sends it is the API's address with its stage and route."""
    outputs = deploy(Stage="prod").outputs
    curl, *arguments = shlex.split(outputs["TryIt"]["Value"]["Fn::Sub"])

    assert curl == "curl"
    assert arguments[:2] == ["-si", f"{outputs['ApiUrl']['Value']['Fn::Sub']}/orders"]
    assert arguments[2:4] == ["-H", "Content-Type: application/json"]
    assert sorted(json.loads(arguments[5])) == ["customer", "items", "payment_method"]
