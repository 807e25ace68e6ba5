"""Every rule: the traps that it finds, at their lines, and nothing else; what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_latency.doctor import RULES, Where, diagnose
from tests.doctor.apps import APPS, Planted, found_in, line_of
from tests.doctor.near import NEAR
from tests.doctor.plants import KIT_WRAPPER, PLANTED

ROOT = Path(__file__).parents[3]
CASES = {f"{rule}-{number}": (rule, one) for rule, each in PLANTED.items() for number, one in enumerate(each, 1)}
NEARLY = {f"{rule}-{number}": one for rule, each in NEAR.items() for number, one in enumerate(each, 1)}


def test_each_rule_is_planted_and_nearly_planted() -> None:
    """In the order of the table."""
    names = [rule.name for rule in RULES]
    assert sorted(PLANTED) == sorted(names)
    assert sorted(NEAR) == sorted(names)
    assert len(CASES) >= 120
    assert len(NEARLY) >= 60


@pytest.mark.parametrize("app", APPS)
def test_the_apps_have_no_finding(app: str, tmp_path: Path) -> None:
    """Before anything is planted."""
    assert found_in(Planted(app), tmp_path) == []


@pytest.mark.parametrize(("rule", "planted"), CASES.values(), ids=CASES)
def test_a_trap_is_found_at_its_line(rule: str, planted: Planted, tmp_path: Path) -> None:
    """And nothing else is."""
    found = found_in(planted, tmp_path)
    assert found == [(rule, planted.file, line_of(planted, tmp_path))]


@pytest.mark.parametrize("planted", NEARLY.values(), ids=NEARLY)
def test_what_comes_near_is_not_found(planted: Planted, tmp_path: Path) -> None:
    """By no rule."""
    assert found_in(planted, tmp_path) == []


def test_the_kits_bridge_is_no_second_tracer(tmp_path: Path) -> None:
    """`aws_xray_sdk` is the kit's own there."""
    bridge = f"{KIT_WRAPPER}          LAMBDA_LATENCY_XRAY_SDK: bridge\n"
    code = {"src/app.py": "from aws_xray_sdk.core import patch_all\ndef handler(e, c): ...\n"}
    assert found_in(Planted("CloudFormation", {KIT_WRAPPER: bridge}, files=code), tmp_path) == []


@pytest.mark.parametrize("region", ["", "us-east-1", "eu-west-1", "us-west-1", "ap-southeast-1"])
def test_our_own_template_has_no_finding(region: str) -> None:
    """In any region that it knows."""
    assert diagnose(ROOT / "template.yaml", Where(region=region)) == ()


def test_our_own_template_lacks_a_collector_in_one_region() -> None:
    """What `adopt --export daemon` takes out."""
    (finding,) = diagnose(ROOT / "template.yaml", Where(region="ap-northeast-3"))
    assert (finding.rule, finding.what) == (
        "layer-unavailable",
        "there is no aws-otel-collector-arm64-ver-0-117-0 in ap-northeast-3",
    )
