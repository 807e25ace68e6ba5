"""Which layer an app gets: one parameter with an ARN for one region, a map of ARNs for several."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_latency.adopt import regions_of
from lambda_latency.adot import PYTHON
from tests.adopt.apps import adopt, make_app

SAMCONFIG = '[default.deploy.parameters]\nregion = "eu-west-3"\n[prod.deploy.parameters]\nregion = "us-west-2"\n'


@pytest.mark.parametrize(
    ("given", "samconfig", "environment", "found"),
    [
        (["eu-north-1"], SAMCONFIG, {"AWS_REGION": "us-east-2"}, (("eu-north-1",), "--region")),
        ([], SAMCONFIG, {"AWS_REGION": "us-east-2"}, (("eu-west-3", "us-west-2"), "samconfig.toml")),
        ([], "", {"AWS_REGION": "us-east-2", "AWS_DEFAULT_REGION": "us-west-1"}, (("us-east-2",), "AWS_REGION")),
        ([], "", {"AWS_DEFAULT_REGION": "us-west-1"}, (("us-west-1",), "AWS_DEFAULT_REGION")),
        ([], "", {}, (("us-east-1",), "no --region is given")),
    ],
)
def test_the_regions_of_an_app(
    tmp_path: Path, given: list[str], samconfig: str, environment: dict[str, str], found: tuple[tuple[str, ...], str]
) -> None:
    """The nearest source counts, and is named."""
    (tmp_path / "samconfig.toml").write_text(samconfig)
    assert regions_of(tmp_path, given, environment) == found


def test_one_region_is_a_parameter_of_four_lines(tmp_path: Path) -> None:
    """No map; the ARN is that of the region."""
    template = make_app(tmp_path)
    status, out, _ = adopt(tmp_path, "--write", "--region", "eu-west-3")
    added = template.read_text()
    assert "ADOT's layer is that of eu-west-3 (--region)." in out
    assert (status, "Mappings" in added) == (0, False)
    assert (
        "  LambdaLatencyAdotArn:\n    Type: String\n"
        f"    Default: {PYTHON.arn('eu-west-3', 26)}\n    Description: ADOT's layer for Python in eu-west-3\n"
    ) in added
    assert "!If [LambdaLatencyIsTraced, !Ref LambdaLatencyAdotArn, !Ref AWS::NoValue]" in added


def test_several_regions_are_a_map_of_one_release(tmp_path: Path) -> None:
    """A line a region, and no parameter."""
    template = make_app(tmp_path)
    adopt(tmp_path, "--write", "--region", "ap-southeast-1", "--region", "us-east-1")
    added = template.read_text()
    assert (
        "  LambdaLatencyAdot:\n"
        f"    ap-southeast-1: {{ Arn: {PYTHON.arn('ap-southeast-1', 25)} }}\n"
        f"    us-east-1: {{ Arn: {PYTHON.arn('us-east-1', 29)} }}\n"
    ) in added
    assert (
        "!If [LambdaLatencyIsTraced, !FindInMap [LambdaLatencyAdot, !Ref AWS::Region, Arn], !Ref AWS::NoValue]" in added
    )
    assert "LambdaLatencyAdotArn" not in added


@pytest.mark.parametrize("regions", [["--region", "eu-west-3"], ["--region", "eu-west-3", "--region", "us-east-2"]])
def test_an_older_number_is_renewed(tmp_path: Path, regions: list[str]) -> None:
    """And one that is newer than any that is known stays."""
    template = make_app(tmp_path)
    adopt(tmp_path, "--write", *regions)
    written = template.read_text()
    template.write_text(written.replace("Python:26", "Python:25"))
    assert adopt(tmp_path, "--check")[0] == 3
    adopt(tmp_path, "--upgrade")
    assert template.read_text() == written
    template.write_text(written.replace("Python:26", "Python:31"))
    assert adopt(tmp_path, "--check")[0] == 0


def test_a_region_without_a_known_number_is_refused(tmp_path: Path) -> None:
    """The packages can be bundled there."""
    make_app(tmp_path)
    status, _, err = adopt(tmp_path, "--region", "us-gov-west-1")
    assert (status, "no version of AWSOpenTelemetryDistroPython is known in us-gov-west-1" in err) == (1, True)
    assert adopt(tmp_path, "--region", "us-gov-west-1", "--export", "daemon", "--packages", "bundled")[0] == 0
