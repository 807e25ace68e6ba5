"""`lambda-latency init`: what it writes, and when it writes nothing."""

import importlib.util
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import pytest
import requests
from moto import mock_aws
from samcli.yamlhelper import yaml_parse

from lambda_latency.adot import LISTED, read_layers
from lambda_latency.cli import main
from lambda_latency.example import example_folder
from lambda_latency.layer import layer_files
from lambda_latency.trace import read_traces
from tests.package.conftest import ROOT
from tests.template.deployed import deploy_text

STARTER = ROOT / "otel" / "lambda_latency" / "example" / "starter"
PROJECT = {
    ".gitignore",
    "Makefile",
    "README.md",
    "collector.yaml",
    "events/create-order.json",
    "functions/__init__.py",
    "functions/orders.py",
    "functions/requirements.txt",
    "lambda-latency.toml",
    "pytest.ini",
    "samconfig.toml",
    "template.yaml",
    "tests/conftest.py",
    "tests/test_traces.py",
}
ORDER = {"customer": "ada", "items": [{"sku": "tea", "quantity": 2, "unit_price": 450}], "payment_method": "card-1"}
READY = ["cd shop", "pytest", "lambda-latency demo", "lambda-latency serve", "lambda-latency doctor"]

BELOW = "  name a file below a folder: a part of the path is a file\n"
FREE = "  free space, or name a file on another disk\n"


def _written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("exists", [True, False])
def test_a_project_is_a_small_app(tmp_path: Path, exists: bool) -> None:
    """In a new folder, below one that is new too, or in an empty one; all files together have at most 700 lines."""
    folder = tmp_path / "work" / "shop"
    if exists:
        folder.mkdir(parents=True)
    assert main(["init", str(folder)]) == 0
    assert _written(folder) == PROJECT
    assert (folder / "collector.yaml").read_bytes() == (ROOT / "collector.yaml").read_bytes()
    assert sum(len((folder / name).read_text("utf-8").splitlines()) for name in PROJECT) <= 700
    assert len((folder / "template.yaml").read_text("utf-8").splitlines()) <= 170
    assert example_folder() == ROOT


def test_no_file_contains_a_path_of_this_machine(tmp_path: Path) -> None:
    """People commit the files: they neither name this installation nor a home or temporary folder."""
    assert main(["init", str(tmp_path / "shop")]) == 0
    for name in PROJECT:
        text = (tmp_path / "shop" / name).read_text("utf-8")
        assert not [path for path in (ROOT, tmp_path, sys.prefix, Path.home()) if f"{path}/" in text], name
        assert re.search(r"(?<![\w./])/(home|root|tmp|Users|usr|work)/", text) is None, name


def test_the_packages_are_those_of_the_lock(tmp_path: Path) -> None:
    """The same versions, without hashes."""
    assert main(["init", str(tmp_path / "shop")]) == 0
    lines = (tmp_path / "shop" / "functions" / "requirements.txt").read_text().splitlines()
    lock = (ROOT / "functions" / "requirements.txt").read_text()
    assert lines == re.findall(r"^[a-z0-9-]+==[^ \n]+", lock, re.MULTILINE)
    assert [line.partition("==")[0] for line in lines] == [
        "certifi",
        "charset-normalizer",
        "idna",
        "requests",
        "urllib3",
    ]


@pytest.mark.parametrize(
    ("installed", "commands", "missing"),
    [
        (("testing", "local"), READY, ""),
        (("testing",), [*READY[:2], READY[-1]], "local"),
        (("local",), [READY[0], *READY[2:]], "testing"),
        ((), [READY[0], READY[-1]], "testing,local"),
    ],
)
def test_only_commands_that_run_are_printed(
    installed: tuple[str, ...],
    commands: list[str],
    missing: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For the others it prints how the missing extras are installed."""
    packages = {"testing": "pytest", "local": "samcli"}
    absent = {package for extra, package in packages.items() if extra not in installed}
    monkeypatch.setattr("lambda_latency.installing.find_spec", lambda name: None if name in absent else object())
    monkeypatch.chdir(tmp_path)
    assert main(["init", "shop"]) == 0
    printed = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    installing = [f"pip install -e '{ROOT}[{missing}]'"] if missing else []
    assert printed == commands + installing


def test_the_layers_are_those_of_one_release() -> None:
    """ADOT 0.18.0, in each region that has the collector's layer, too; the numbers of layers.toml."""
    layers, collector = read_layers(LISTED)
    (release,) = [release for release in layers.releases if release.version == "0.18.0"]
    written = yaml_parse((STARTER / "template.yaml").read_text("utf-8"))["Mappings"]["AdotPython"]
    assert written == {region: {"Number": str(release.numbers[region])} for region in collector.regions}
    for region in ("us-east-1", "ap-southeast-1"):
        (_, adot, collecting) = _deployed(region)["CreateOrder"]["Properties"]["Layers"]
        assert adot == layers.arn(region, release.numbers[region])
        name = f"{collector.name('arm64')}:{collector.number}"
        assert collecting == f"arn:aws:lambda:{region}:{collector.account}:layer:{name}"


def test_without_tracing_nothing_of_it_is_deployed() -> None:
    """No layer, no variable and no permission."""
    resources = _deployed("us-east-1", Tracing="Off")
    text = json.dumps(resources)
    assert not [word for word in ("xray:", "OTEL_", "OPENTELEMETRY", "EXEC_WRAPPER", "layer:", "kit") if word in text]
    assert resources["CreateOrder"]["Properties"]["Layers"] == []


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module of the handlers, which the tests' own package `functions` would hide."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ORDERS_TABLE": "orders",
        "PAYMENTS_URL": "http://127.0.0.1:9",
        "PAYMENTS_TIMEOUT_MS": "3000",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        module = _imported()
        properties = yaml_parse((STARTER / "template.yaml").read_text("utf-8"))["Resources"]["OrdersTable"][
            "Properties"
        ]
        module.CLIENT.create_table(TableName="orders", **properties)
        yield module


def _imported() -> ModuleType:
    spec = importlib.util.spec_from_file_location("starter_orders", STARTER / "functions" / "orders.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _post(orders: Any, answer: object, **fields: object) -> dict[str, Any]:
    """POST an order, for which the payments API gives an answer or raises it."""
    orders.SESSION = Mock(post=Mock(side_effect=[answer]))
    response: dict[str, Any] = orders.create_order({"body": json.dumps({**ORDER, **fields})}, None)
    return response


def _answer(status: int, text: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.raw = status, io.BytesIO(text.encode())
    return answer


CHARGED = '{"charge_id": "ch_1", "status": "succeeded"}'


@pytest.mark.parametrize(
    ("answer", "status", "stored"),
    [
        (_answer(201, CHARGED), 201, "confirmed"),
        (_answer(402, "{}"), 402, "declined"),
        (_answer(201, "no JSON"), 502, "pending"),
        (_answer(201, "{}"), 502, "pending"),
        (_answer(500, CHARGED), 502, "pending"),
        (requests.ConnectionError(), 502, "pending"),
        (requests.ReadTimeout(), 504, "pending"),
    ],
)
def test_an_order_ends_as_its_charge(orders: ModuleType, answer: object, status: int, stored: str) -> None:
    """The table and the response agree; a pending order is completed by the same request, and by no other."""
    assert _post(orders, answer, order_id="o-1")["statusCode"] == status
    read = orders.get_order({"pathParameters": {"id": "o-1"}}, None)
    assert (read["statusCode"], json.loads(read["body"])["status"]) == (200, stored)
    assert "card-1" not in read["body"]
    assert _post(orders, _answer(201, CHARGED), order_id="o-1", customer="bob")["statusCode"] == 409
    again = _post(orders, _answer(201, CHARGED), order_id="o-1")
    assert again["statusCode"] == (201 if stored == "pending" else 409)


@pytest.mark.parametrize("name", ["ORDERS_TABLE", "PAYMENTS_URL", "PAYMENTS_TIMEOUT_MS"])
@pytest.mark.parametrize("value", ["", "?"])
def test_a_wrong_variable_fails_the_init(
    orders: ModuleType, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its name."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"^{name} "):
        _imported()


@pytest.mark.parametrize("function", ["CreateOrder", "GetOrder"])
def test_a_function_may_do_what_it_does_and_nothing_else(orders: ModuleType, function: str) -> None:
    """Its calls of DynamoDB, its log group, and X-Ray's two actions if it is traced."""
    actions: set[str] = set()

    def note(model: Any, **_: object) -> None:
        actions.add(f"dynamodb:{model.name}")

    orders.CLIENT.meta.events.register("provide-client-params.dynamodb", note)
    if function == "CreateOrder":
        _post(orders, _answer(201, CHARGED), order_id="o-1")
        _post(orders, _answer(201, CHARGED), order_id="o-1")
        _post(orders, _answer(402, ""), order_id="o-2")
    else:
        orders.get_order({"pathParameters": {"id": "o-1"}}, None)
    logs, table = ({"Fn::GetAtt": [name, "Arn"]} for name in (f"{function}Log", "OrdersTable"))
    for tracing, traced in {"Active": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "Off": set()}.items():
        resources = _deployed("us-east-1", Tracing=tracing)
        assert resources[function]["Properties"]["Role"] == {"Fn::GetAtt": [f"{function}Role", "Arn"]}
        role = resources[f"{function}Role"]["Properties"]
        (policy,) = role["Policies"]
        assert "ManagedPolicyArns" not in role
        allowed = {
            (json.dumps(statement["Resource"]), action)
            for statement in policy["PolicyDocument"]["Statement"]
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        }
        assert allowed == {
            *((json.dumps(table), action) for action in actions),
            *((json.dumps(logs), action) for action in ("logs:CreateLogStream", "logs:PutLogEvents")),
            *(('"*"', action) for action in traced),
        }


def _deployed(region: str, **parameters: str) -> dict[str, Any]:
    """The resources of a stack of the template."""
    return deploy_text((STARTER / "template.yaml").read_text("utf-8"), region, **parameters).resources


def test_the_template_has_no_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither cfn-lint's nor `lambda-latency doctor --strict`'s."""
    assert main(["init", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["doctor", "--template", str(tmp_path / "template.yaml"), "--strict"]) == 0
    assert capsys.readouterr().out == "No findings.\n"
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    lint = [cfn_lint, "--include-checks", "I", "--template", "template.yaml"]
    done = subprocess.run(lint, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_demo_names_the_slow_payments_api(tmp_path: Path) -> None:
    """The load has only the two routes of the app."""
    project = tmp_path / "my shop"
    assert main(["init", str(project)]) == 0
    command = [sys.executable, "-m", "lambda_latency", "demo", "--page", "off", "--requests", "60"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=120)
    messages = [line for line in done.stderr.splitlines() if not line.startswith("packages are installed into ")]
    assert (done.returncode, messages) == (0, [])
    sentence = " ".join(done.stdout.split()).partition(" The cause is external.")[0]
    assert re.search(r"^(Thin evidence: )?\d+ of \d+ requests of .*payments\.example\.com", sentence), sentence
    traces = read_traces(project / "out" / "traces.jsonl").traces
    assert {trace.route for trace in traces} == {"POST /orders", "GET /orders/{id}"}


def test_a_projects_makefile_says_that_the_kit_is_missing(tmp_path: Path) -> None:
    """One line of its own, with the remedy."""
    assert main(["init", str(tmp_path)]) == 0
    command = ["make", "build-Kit", f"ARTIFACTS_DIR={tmp_path / 'layer'}", "PYTHON=false"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    first, *rest = done.stderr.splitlines()
    assert first == (
        "false has no lambda-latency: activate the environment where it is installed, "
        "or run: PYTHON=/path/to/python sam build"
    )
    assert (done.returncode, len(rest), (tmp_path / "layer").exists()) == (2, 1, False)


def test_a_projects_makefile_builds_the_layer_that_its_template_names(tmp_path: Path) -> None:
    """With the files that the functions' variables name, and the runtime where Python looks for it."""
    folder, layer = tmp_path / "my shop", tmp_path / "a layer"
    assert main(["init", str(folder)]) == 0
    command = ["make", "--no-print-directory", "build-Kit", f"ARTIFACTS_DIR={layer}", f"PYTHON={sys.executable}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    assert _written(layer) == {*layer_files(), "lambda-latency/collector.yaml"}
    assert os.access(layer / "lambda-latency" / "wrapper", os.X_OK)


def test_the_folder_that_one_is_in_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`lambda-latency init .`"""
    monkeypatch.chdir(tmp_path)
    assert main(["init", "."]) == 0
    assert _written(tmp_path) == PROJECT


@pytest.mark.parametrize("name", ["notes.txt", ".git"])
def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hidden files count; one line, status 1."""
    (tmp_path / name).write_text("mine")
    assert main(["init", str(tmp_path)]) == 1
    assert capsys.readouterr() == ("", f"lambda-latency: {tmp_path} is not empty: name a new folder\n")
    assert _written(tmp_path) == {name}


def test_a_file_in_its_place_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and the file stays."""
    place = tmp_path / "shop"
    place.write_text("mine")
    assert main(["init", str(place)]) == 1
    assert capsys.readouterr() == ("", f"lambda-latency: {place} cannot be written: Not a directory\n{BELOW}")
    assert place.read_text() == "mine"


@pytest.mark.parametrize("exists", [True, False])
def test_a_disk_that_fills_up_leaves_nothing(
    tmp_path: Path, exists: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither half of a project nor a folder that was not there."""
    import shutil

    folder = tmp_path / "shop"
    if exists:
        folder.mkdir()
    copy = shutil.copyfile

    def copyfile(source: Path, target: Path) -> None:
        if target.name == "template.yaml":
            raise OSError(28, os.strerror(28))
        copy(source, target)

    monkeypatch.setattr("shutil.copyfile", copyfile)
    assert main(["init", str(folder)]) == 1
    full = f"lambda-latency: {folder} cannot be written: No space left on device\n{FREE}"
    assert capsys.readouterr() == ("", full)
    assert (folder.exists(), _written(tmp_path)) == (exists, set())


def test_sam_build_makes_what_lambda_runs(tmp_path: Path) -> None:
    """By the project's Makefile: functions and packages; in a path with a space."""
    project, artifact = tmp_path / "my shop", tmp_path / "my artifact"
    assert main(["init", str(project)]) == 0
    command = [
        "make",
        "--no-print-directory",
        "build-GetOrder",
        f"ARTIFACTS_DIR={artifact}",
        f"PYTHON={sys.executable}",
    ]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"the package index does not answer: {done.stderr.strip()[-200:]}")
    assert (done.returncode, done.stdout) == (0, "")
    assert {path.name for path in artifact.iterdir() if not path.name.endswith(".dist-info")} == {
        "certifi",
        "charset_normalizer",
        "functions",
        "idna",
        "requests",
        "urllib3",
    }
