"""Where the template can be deployed, and with which versions of the layers."""

from __future__ import annotations

import pytest

from lambda_latency.adot import PYTHON
from tests.template.deployed import deploy, refused, template

VERSIONS = {
    region: newest.numbers[region] for region in PYTHON.usual_regions if (newest := PYTHON.newest(region)) is not None
}
OWN = "arn:aws:lambda:eu-south-1:123456789012:layer:own:7"
NO_ADOT = (
    "The template knows no version of the ADOT layer for this region. "
    "Set AdotLayerArn to the one of the region, or Tracing=Off."
)
NO_COLLECTOR = (
    "There is no collector layer in this region. "
    "Set Export=daemon, CollectorLayerArn to a layer of yours, or Tracing=Off."
)


@pytest.mark.parametrize("region", VERSIONS)
@pytest.mark.parametrize("function", ["CreateOrder", "GetOrder", "ListOrders", "CancelOrder"])
def test_a_region_has_its_own_versions_of_the_layers(region: str, function: str) -> None:
    """In the region itself, for a layer of another one cannot be used; and its rules let it be deployed."""
    _, *layers = deploy(region).resources[function]["Properties"]["Layers"]  # behind the kit's own

    adot = f"arn:aws:lambda:{region}:615299751070:layer:AWSOpenTelemetryDistroPython:{VERSIONS[region]}"
    collector = f"arn:aws:lambda:{region}:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1"
    assert layers == ([adot] if region == "ap-northeast-3" else [adot, collector])
    assert refused(region) == []


def test_the_regions_are_listed_once_and_for_all() -> None:
    """The map of versions and both rules name the same ones."""
    written = template()
    lists = [
        rule["Assertions"][0]["Assert"]["Fn::Contains"][0]
        for name, rule in written["Rules"].items()
        if name.startswith("RegionHas")
    ]

    assert list(written["Mappings"]["AdotPython"]) == list(VERSIONS)
    assert lists == [list(VERSIONS), list(VERSIONS)]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, [NO_ADOT, NO_COLLECTOR]),
        ({"Tracing": "PassThrough"}, [NO_ADOT, NO_COLLECTOR]),
        ({"Tracing": "Off"}, []),
        ({"AdotLayerArn": OWN}, [NO_COLLECTOR]),
        ({"CollectorLayerArn": OWN}, [NO_ADOT]),
        ({"Export": "daemon"}, [NO_ADOT]),
        ({"Export": "otlp"}, [NO_ADOT]),
        ({"AdotLayerArn": OWN, "Export": "daemon"}, []),
        ({"AdotLayerArn": OWN, "CollectorLayerArn": OWN}, []),
    ],
)
def test_elsewhere_the_template_says_what_is_missing_before_anything_is_made(
    parameters: dict[str, str], said: list[str]
) -> None:
    """A number of another region would fail in the middle of a deployment, or be somebody else's layer."""
    assert refused("eu-south-1", **parameters) == said
