"""The table of AWS's layers: nothing in it is without a source, and who reads it gets the release in use."""

import datetime as dt
from pathlib import Path

import pytest

from lambda_latency.adot import COLLECTOR, LISTED, PYTHON, read_layers

COMMIT = "https://github.com/aws-otel/aws-otel.github.io/commit/aedf"
NUMBERS = "\n[python.releases.numbers]\n"


@pytest.mark.parametrize("release", PYTHON.releases, ids=lambda release: release.version)
def test_each_release_has_an_address_and_a_date(release: object) -> None:
    """For its packages and, where it has numbers, for these."""
    facts = next(r for r in PYTHON.releases if r is release)
    dates = [facts.read, *([facts.numbers_read] if facts.numbers else [])]
    assert all(dt.date.fromisoformat(date) for date in dates)
    sources = [facts.source, *(facts.numbers_source.split(" and ") if facts.numbers else [])]
    assert all(source.startswith("https://") for source in sources)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (f'{NUMBERS}source = "{COMMIT}', f'{NUMBERS}source = "somebody said ', ValueError),
        ("read = 2026-06-30\n", "", KeyError),
        (f'{NUMBERS}source = "{COMMIT}', f'{NUMBERS}unsaid = "', KeyError),
        ('source = "https://pypi.org/project/aws-opentelemetry-distro/0.21.0/"\n', "", KeyError),
    ],
)  # fmt: skip
def test_a_number_or_a_release_without_a_source_is_refused(
    tmp_path: Path, old: str, new: str, error: type[Exception]
) -> None:
    """Nobody can check it."""
    text = LISTED.read_text("utf-8")
    assert text.count(old) == 1
    changed = tmp_path / "layers.toml"
    changed.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(error):
        read_layers(changed)


def test_numbers_grow_from_release_to_release() -> None:
    """In every region, for AWS counts publications."""
    for region in PYTHON.accounts:
        numbers = [release.numbers[region] for release in PYTHON.releases if region in release.numbers]
        assert numbers == sorted(set(numbers)), region


@pytest.mark.parametrize(
    ("region", "number", "version"),
    [("us-west-2", 33, "0.18.0"), ("us-west-2", 32, "0.17.1"), ("ap-southeast-1", 28, "0.21.0"),
     ("us-west-2", 31, None), ("us-west-2", 34, None), ("xx-nowhere-1", 1, None)],
)  # fmt: skip
def test_a_number_is_a_release_only_if_a_source_tells_it(region: str, number: int, version: str | None) -> None:
    """A number between two known ones, or above them, is not known."""
    release = PYTHON.release(region, number)
    assert (release.version if release is not None else None) == version


def test_several_regions_share_the_newest_release_that_all_have() -> None:
    """One function's packages suit all of them then."""
    releases = [
        PYTHON.shared(regions) for regions in (["ap-southeast-1"], ["ap-southeast-1", "us-east-1"], ["xx-nowhere-1"])
    ]
    assert [release.version if release is not None else None for release in releases] == ["0.21.0", "0.18.0", None]


def test_an_arn_has_the_account_and_the_partition_of_its_region() -> None:
    """China's are its own."""
    assert (
        PYTHON.arn("cn-north-1", 14)
        == "arn:aws-cn:lambda:cn-north-1:440179912924:layer:AWSOpenTelemetryDistroPython:14"
    )
    assert PYTHON.arn("ap-east-2", 4) == "arn:aws:lambda:ap-east-2:412664885777:layer:AWSOpenTelemetryDistroPython:4"


def test_the_collector_is_in_the_usual_regions_but_one() -> None:
    """ap-northeast-3 has none."""
    assert set(PYTHON.default_regions) - set(COLLECTOR.regions) == {"ap-northeast-3"}
    assert COLLECTOR.name("arm64") == "aws-otel-collector-arm64-ver-0-117-0"
