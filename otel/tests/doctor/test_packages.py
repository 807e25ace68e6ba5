"""A function's packages beside ADOT's layer: compared with those of the layer in use, never with another release's."""

import re
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from packaging.requirements import Requirement

import lambda_latency.doctor.deployed
from lambda_latency.cli import main
from lambda_latency.doctor import Deployment, Online, diagnose
from lambda_latency.doctor.rules.packages import REQUIRED, _is_within
from lambda_latency.fetch import FetchError, Place
from tests.doctor.apps import ADOT, ChangedApp, write
from tests.doctor.cloud import layer_file

NAME = "AWSOpenTelemetryDistroPython"
EVENTS = (
    "the layer's set-up fails (ImportError: _OTEL_PYTHON_EVENT_LOGGER_PROVIDER), the function runs on, "
    "and nothing is traced"
)


def bundled(folder: Path, version: str, layer: str, ask: Any = None) -> list[tuple[str, str]]:
    """Rule and observation for a function with an SDK beside a layer."""
    region = layer.split(":")[3]
    texts = {ADOT: layer, "arn:aws:lambda:eu-west-1:901": f"arn:aws:lambda:{region}:901"}
    changed = ChangedApp("SAM", texts, files={"src/requirements.txt": f"opentelemetry-sdk=={version}\n"})
    findings = diagnose(write(changed, folder), Deployment(region=region, ask=ask))
    return [(finding.rule, finding.what) for finding in findings if finding.rule.startswith("packages")]


def adot(region: str, number: int) -> str:
    """The ARN of a layer."""
    return f"arn:aws:lambda:{region}:615299751070:layer:AWSOpenTelemetryDistroPython:{number}"


@pytest.mark.parametrize(
    ("version", "layer", "problem"),
    [
        ("1.42.1", ADOT, None),
        ("1.44.0", ADOT,
         f"opentelemetry-sdk 1.44.0 is in Get, but 1.42.1 is in {NAME}:26 (ADOT 0.18.0); {EVENTS}"),
        ("1.40.0", adot("us-west-2", 32), None),
        ("1.42.1", adot("us-west-2", 32),
         "opentelemetry-sdk 1.42.1 is in Get, but 1.40.0 is in AWSOpenTelemetryDistroPython:32 (ADOT 0.17.1)"),
        ("1.44.0", adot("ap-southeast-1", 28), None),
        ("1.42.1", adot("ap-southeast-1", 28),
         "opentelemetry-sdk 1.42.1 is in Get, but 1.44.0 is in AWSOpenTelemetryDistroPython:28 (ADOT 0.21.0)"),
    ],
)  # fmt: skip
def test_a_bundle_is_compared_with_the_layer_in_use(
    tmp_path: Path, version: str, layer: str, problem: str | None
) -> None:
    """A newer release than the layer's is as wrong as an older one."""
    assert bundled(tmp_path, version, layer) == ([] if problem is None else [("packages-clash", problem)])


def test_a_number_that_nobody_tells_is_said_to_be_unknown(tmp_path: Path) -> None:
    """It is compared with no other release."""
    assert bundled(tmp_path, "1.44.0", adot("us-west-2", 34)) == [
        (
            "packages-unknown",
            f"Get has opentelemetry-sdk 1.44.0, and the packages in {NAME}:34 of us-west-2 are not known",
        )
    ]


@pytest.mark.parametrize(("number", "sdk"), [(34, "1.46.0"), (33, "1.45.1")])
def test_online_lambda_tells_the_packages(tmp_path: Path, number: int, sdk: str) -> None:
    """Also those of a number that the table knows otherwise."""
    arns: list[str] = []

    def ask(arn: str) -> dict[str, str]:
        arns.append(arn)
        return {"opentelemetry-sdk": sdk}

    layer = adot("us-west-2", number)
    assert bundled(tmp_path / "same", sdk, layer, ask) == []
    assert [rule for rule, _ in bundled(tmp_path / "other", "1.40.0", layer, ask)] == ["packages-clash"]
    assert set(arns) == {layer}


REAL = {"opentelemetry-sdk": "1.46.0", "opentelemetry-api": "1.46.0"}


class Lambda:
    """Clients of Lambda by region, which play one answer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str | None, str]] = []

    def __call__(self, place: Place) -> Any:
        """As `Clients`."""

        def get(Arn: str) -> Any:  # noqa: N803 - AWS's name
            self.asked.append((place.region, Arn))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return SimpleNamespace(make=lambda _: SimpleNamespace(get_layer_version_by_arn=get))


DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetLayerVersionByArn")


@pytest.mark.parametrize(
    ("answer", "packages", "failed"),
    [
        ({"Content": {"Location": layer_file("1.46.0")}}, REAL, 0),
        ({"Content": {}}, None, 0),
        ({"Content": {"Location": "data:,none"}}, None, 1),
        (DENIED, None, 1),
    ],
)  # fmt: skip
def test_a_layer_is_asked_for_once_in_its_region(
    monkeypatch: pytest.MonkeyPatch, answer: Any, packages: object, failed: int
) -> None:
    """What AWS or the file does not tell is not known."""
    played = Lambda(answer)
    monkeypatch.setattr(lambda_latency.doctor.deployed, "Clients", played)
    online = Online(Place(region="eu-west-1"))
    layer = adot("us-west-2", 34)
    assert [online(layer), online(layer)] == [packages, packages]
    assert (played.asked, len(online.failed)) == ([("us-west-2", layer)], failed)


def test_the_command_asks_only_with_online(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says what it was not told."""
    played = Lambda(DENIED)
    monkeypatch.setattr(lambda_latency.doctor.deployed, "Clients", played)
    template = write(ChangedApp("SAM", files={"src/requirements.txt": "opentelemetry-sdk==1.42.1\n"}), tmp_path)
    assert (main(["doctor", "--template", str(template)]), played.asked) == (0, [])
    assert main(["doctor", "--template", str(template), "--online"]) == 4
    assert f"Lambda does not tell the packages of {ADOT}" in capsys.readouterr().err
    assert played.asked == [("eu-west-1", ADOT)]


def test_a_wrong_clock_ends_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No layer would be told about."""
    said = ("InvalidSignatureException", "Signature expired: 1 is now earlier than 2")
    clock = Lambda(ClientError({"Error": {"Code": said[0], "Message": said[1]}}, "GetLayerVersionByArn"))
    monkeypatch.setattr(lambda_latency.doctor.deployed, "Clients", clock)
    template = write(ChangedApp("SAM", files={"src/requirements.txt": "opentelemetry-sdk==1.42.1\n"}), tmp_path)
    with pytest.raises(FetchError, match="AWS rejects these credentials: Signature expired"):
        diagnose(template, Deployment({}, "", Online(Place(region="eu-west-1"))))


VERSIONS = ("1.0", "1.56", "1.57", "1.99", "2.6", "2.7", "2.99", "3.0", "4.4", "4.5", "5.0", "7.9", "8.0", "18.0")


@pytest.mark.parametrize("name", REQUIRED)
def test_what_the_layers_packages_require_is_what_their_metadata_says(name: str) -> None:
    """Of the packages of OpenTelemetry at the layer's versions, which this environment has."""
    bounds, by = REQUIRED[name]
    (line,) = [text for text in metadata.requires(by) or () if re.match(rf"{name}\b", text) and "extra" not in text]
    said = Requirement(line).specifier
    within = {version: _is_within(tuple(map(int, version.split("."))), bounds) for version in VERSIONS}
    assert within == {version: version in said for version in VERSIONS}
