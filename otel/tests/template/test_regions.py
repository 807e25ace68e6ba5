"""Where the template can be deployed, and with which versions of the layers."""

from __future__ import annotations

import pytest

from lab.layers import template_regions
from lambda_latency.adot import COLLECTOR, PYTHON
from tests.template.deployed import deploy, template

REGIONS = template_regions()
RELEASE = PYTHON.shared(REGIONS)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("function", ["CreateOrder", "GetOrder", "ListOrders", "CancelOrder"])
def test_a_region_has_its_own_numbers_of_one_release(region: str, function: str) -> None:
    """In the region itself, for a layer of another one cannot be used."""
    _, *layers = deploy(region).resources[function]["Properties"]["Layers"]  # behind the kit's own

    assert RELEASE is not None
    adot = f"arn:aws:lambda:{region}:615299751070:layer:AWSOpenTelemetryDistroPython:{RELEASE.numbers[region]}"
    assert layers == [adot, f"arn:aws:lambda:{region}:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1"]


def test_the_map_has_the_regions_in_which_the_template_works() -> None:
    """Those that every account has, but for the one without the collector's layer: it is refused there."""
    assert list(template()["Mappings"]["AdotPython"]) == REGIONS
    assert set(PYTHON.usual_regions) - set(REGIONS) == {"ap-northeast-3"}
    assert set(REGIONS) <= set(COLLECTOR.regions)
