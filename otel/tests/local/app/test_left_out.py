"""What cannot be made is left out and said, and the rest of the app runs; packages that no requirements file names."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.apps import CACHE, VERSION
from lambda_latency.http import Handler, Server
from lambda_latency.local.app.prepare.imports import borrowed
from lambda_latency.local.app.prepare.make import Builds
from lambda_latency.local.app.prepare.packages import Packages
from lambda_latency.local.app.prepare.preparation import Preparation
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.app.read.inclusion import Content
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.app.triggers.relayed import with_response_url
from lambda_latency.local.errors import LocalError
from lambda_latency.local.sandbox.function import Function
from tests.local.app.conftest import needs_packages, up

TEMPLATE = f"""\
Transform: AWS::Serverless-2016-10-31
Conditions: {{ IsNever: !Equals [a, b] }}
Globals: {{ Function: {{ Runtime: python{VERSION[0]}.{VERSION[1]}, Handler: index.handler }} }}
Resources:
  Fails:
    Type: AWS::Serverless::Function
    Properties: {{ InlineCode: "def handler(event, context): raise ValueError('not today')" }}
  Thing: {{ Type: "Custom::Thing", Properties: {{ ServiceToken: !GetAtt Fails.Arn }} }}
  Runs:
    Type: AWS::Serverless::Function
    Properties: {{ InlineCode: "def handler(event, context): return 42" }}
  Answers:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: |
        import boto3, cfnresponse
        def handler(event, context):
            variables = {{"Variables": {{"WORD": "set"}}}}
            boto3.client("lambda").update_function_configuration(FunctionName="late", Environment=variables)
            cfnresponse.send(event, context, cfnresponse.SUCCESS, {{"Word": "hello"}}, "mine")
  Answered: {{ Type: "Custom::Answered", DependsOn: Late, Properties: {{ ServiceToken: !GetAtt Answers.Arn }} }}
  Late:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: late
      InlineCode: "import os; handler = lambda event, context: os.environ['WORD']"
      Environment: {{ Variables: {{ WORD: "before" }} }}
  Told:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "import os; handler = lambda event, context: [os.environ[name] for name in ('ID', 'WORD')]"
      Environment: {{ Variables: {{ ID: !Ref Answered, WORD: !GetAtt Answered.Word }} }}
  Nested: {{ Type: AWS::Serverless::Application, Properties: {{ Location: nested.yaml }} }}
  Same:
    Type: AWS::Serverless::Function
    Properties: {{ FunctionName: same, InlineCode: "def handler(event, context): return 'same'" }}
  NotSame:
    Type: AWS::Serverless::Function
    Condition: IsNever
    Properties: {{ FunctionName: same, InlineCode: "def handler(event, context): return 'other'" }}
  Queue: {{ Type: AWS::SQS::Queue }}
  Other:
    Type: AWS::Serverless::Application
    Properties: {{ Location: other.yaml, Parameters: {{ Queue: !Ref Queue }} }}
"""
OTHER = """\
Transform: AWS::Serverless-2016-10-31
Parameters: { Queue: { Type: String } }
Conditions: { IsWithout: !Equals [!Ref Queue, local] }
Resources:
  Never:
    Type: AWS::Serverless::Function
    Condition: IsWithout
    Properties: { Runtime: python3.13, Handler: index.handler, InlineCode: "def handler(event, context): ..." }
  Topic: { Type: AWS::SNS::Topic }
"""
NESTED = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Fails:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: "def handler(event, context): 1 / 0"
  Thing: { Type: "Custom::Thing", Properties: { ServiceToken: !GetAtt Fails.Arn } }
"""


@needs_packages
def test_a_custom_resource_whose_function_fails_is_left_out(tmp_path: Path) -> None:
    """At once, with the function's reason; so is a nested app that has one, and a function without its condition, even
    if another function has its name. One that answers by `cfnresponse` is created, and
    may set the variables of another function.
    """
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "nested.yaml").write_text(NESTED.replace("3.13", f"{VERSION[0]}.{VERSION[1]}"))
    (tmp_path / "other.yaml").write_text(OTHER)
    notes: list[str] = []
    system = System(
        read_app(tmp_path / "template.yaml", {}), SystemOptions(tmp_path / "out", cache=CACHE), tell=notes.append
    )
    try:
        payloads = [system.invoke(key, b"{}").payload for key in ("Runs", "Same", "Told", "Late", "NotSame")]
        assert [json.loads(payload) for payload in payloads[:4]] == [42, "same", ["mine", "hello"], "set"]
        assert json.loads(payloads[4])["errorType"] == "Sandbox.Refused"
    finally:
        system.close()
    left_out = sorted(line.partition(": ")[0] for line in notes if "left out" in line)
    assert left_out == [
        "Nested (AWS::CloudFormation::Stack) cannot be created here and is left out",
        "Thing (Custom::Thing) cannot be created here and is left out",
    ]
    assert any("Thing" in line and "ValueError: not today" in line for line in notes)
    why = "it was not created: its condition is false, or a dependency failed"
    assert {f"{key} does not run here: {why}" for key in ("NotSame", "Other/Never")} <= {*notes}


@needs_packages
def test_a_function_whose_packages_cannot_be_installed_runs_once_they_can(tmp_path: Path) -> None:
    """Until then it is refused with the reason, once for all functions that share it, and the others run."""
    for name in ("wants", "runs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text(f"def handler(event, context): return {name!r}")
    requirements = tmp_path / "wants" / "requirements.txt"
    requirements.write_text("./missing-1.0-py3-none-any.whl\n")
    (tmp_path / "template.yaml").write_text(
        f"""\
Transform: AWS::Serverless-2016-10-31
Globals: {{ Function: {{ Runtime: python{VERSION[0]}.{VERSION[1]}, Handler: app.handler, Timeout: 20 }} }}
Resources:
  Wants: {{ Type: AWS::Serverless::Function, Properties: {{ CodeUri: wants }} }}
  Shares: {{ Type: AWS::Serverless::Function, Properties: {{ CodeUri: wants }} }}
  Runs: {{ Type: AWS::Serverless::Function, Properties: {{ CodeUri: runs }} }}
"""
    )
    with up(read_app(tmp_path / "template.yaml", {}), tmp_path) as shop:
        (why,) = [line for line in shop.messages if "not run here" in line]
        assert why.startswith(f"Wants, Shares do not run here: uv pip install failed for {requirements}\n")
        assert "missing-1.0" in why
        assert (shop.system.invoke("Wants", b"{}").error, shop.result("Runs", {})) == ("Sandbox.Refused", "runs")
        requirements.write_text("")
        assert shop.result("Wants", {}) == "wants"


@needs_packages
def test_code_may_be_a_single_file(tmp_path: Path) -> None:
    """`sam package` makes an archive of it, without the files beside it; a change counts from the next event on."""
    code = tmp_path / "sources"
    code.mkdir()
    (code / "app.py").write_text("def handler(event, context): return 1")
    (tmp_path / "template.yaml").write_text(
        f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Work:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: sources/app.py
      Handler: app.handler
      Runtime: python{VERSION[0]}.{VERSION[1]}
      Timeout: 20
"""
    )
    with up(read_app(tmp_path / "template.yaml", {}), tmp_path) as shop:
        assert shop.result("Work", {}) == 1
        (code / "app.py").write_text("def handler(event, context): return 22")
        assert shop.result("Work", {}) == 22


def test_an_installation_is_announced(tmp_path: Path) -> None:
    """It may take a minute, in which nothing else is printed. What is installed already is not announced, nor is the
    kit's own layer, which is only copied.
    """
    messages: list[str] = []
    packages = Packages(tmp_path, {(3, 12): Path(sys.executable)}, messages.append)
    assert (packages.kit((3, 12)) / "lambda-latency").is_dir()
    file = tmp_path / "requirements.txt"
    file.write_text("# none\n")
    installed, reused = (packages.requirements(file, tmp_path, (3, 12)) for _ in range(2))
    assert installed == reused
    assert messages == [f"packages are installed into {tmp_path}, which may take a minute; later starts use them again"]


def test_an_index_that_does_not_answer_is_told(tmp_path: Path) -> None:
    """With what to check, below what uv says."""
    said = "error: Request failed after 3 retries in 11.8s\n  cause: error sending request for url (http://127.0.0.1:9/a/)\n"

    def run(command: Sequence[str], *_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 2, said)

    packages = Packages(tmp_path, {(3, 12): Path(sys.executable)}, run=run)
    with pytest.raises(LocalError) as raised:
        packages.distributions(["any"], (3, 12))
    assert str(raised.value).splitlines()[-1:] == [
        "  the package index does not answer: check the network, HTTPS_PROXY and UV_DEFAULT_INDEX"
    ]


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "file").touch()
    packages = Packages(tmp_path / "file" / "cache", {(3, 12): Path(sys.executable)})
    with pytest.raises(LocalError) as raised:
        packages.distributions(["any"], (3, 12))
    message = f"{tmp_path / 'file' / 'cache'} cannot be written: Not a directory"
    assert str(raised.value) == f"{message}\n  set XDG_CACHE_HOME to a folder that can be written"


@pytest.mark.parametrize(
    ("name", "text", "packages"),
    [
        ("pyproject.toml", '[project]\ndependencies = ["requests>=2", "boto3"]\n', ["requests>=2", "boto3"]),
        (
            "Pipfile",
            """\
[packages]
boto3 = "*"
requests = "==2.32.3"
own = { path = "." }
powertools = { version = ">=3", extras = ["tracer"] }
[dev-packages]
pytest = "*"
""",
            ["boto3", "requests==2.32.3", "powertools[tracer]>=3"],
        ),
        (
            "pyproject.toml",
            """\
[tool.poetry.dependencies]
python = "^3.12"
any = "*"
major = "^1.2.3"
minor = "^0.2.3"
patch = "^0.0.3"
zero = "^0"
tilde = "~1.2.3"
wide = "~1"
exact = "1.2.3"
part = "1.2.*"
between = ">=1.14.1, <3.0.0"
compatible = "~=1.4"
own = { path = "../own" }
extra = { version = "^2.1", extras = ["a", "b"] }
left = { version = "1", optional = true }
[tool.poetry.group.dev.dependencies]
pytest = "*"
""",
            [
                *("any", "major>=1.2.3,<2", "minor>=0.2.3,<0.3", "patch>=0.0.3,<0.0.4", "zero>=0,<1"),
                *("tilde>=1.2.3,<1.3", "wide>=1,<2", "exact==1.2.3", "part==1.2.*", "between>=1.14.1,<3.0.0"),
                *("compatible~=1.4", "extra[a,b]>=2.1,<3"),
            ],
        ),
    ],
)
def test_without_a_requirements_file_the_projects_own_needs_are_installed(
    tmp_path: Path, name: str, text: str, packages: list[str]
) -> None:
    """Those of the nearest pyproject.toml or Pipfile above the code; that is told."""
    code = tmp_path / "src" / "orders"
    code.mkdir(parents=True)
    (tmp_path / name).write_text(text)
    installed: list[list[str]] = []
    notes: list[str] = []
    function = prepared(tmp_path, installed, notes, Content(code))
    assert isinstance(function, Function)
    assert (installed, function.paths) == ([packages], (Path("made"),))
    assert notes == [f"{code} has no requirements.txt: its packages are those of {tmp_path / name}"]


def test_an_external_extension_is_named(tmp_path: Path) -> None:
    """Of a local layer and of a public one, which no code imports; the tracing layers are replaced here."""
    (tmp_path / "layer" / "extensions").mkdir(parents=True)
    (tmp_path / "layer" / "extensions" / "cache").touch()
    secrets = "AWS-Parameters-and-Secrets-Lambda-Extension:12"
    names = (
        "mine:1",
        secrets,
        "AWSOpenTelemetryDistroPython:29",
        "aws-otel-collector-amd64-ver-0-117-0:1",
        "lambda-latency:3",
    )
    notes: list[str] = []
    layers, arns = (Content(tmp_path / "layer"),), tuple(f"arn:aws:lambda:us-east-1:1:layer:{name}" for name in names)
    prepared(tmp_path, [], notes, Content(tmp_path), layers, arns)
    assert notes == [
        f"the layer {tmp_path / 'layer'} has extensions, which are not started here: cache",
        "F: the layer arn:aws:lambda:us-east-1:1:layer:mine:1 exists only on AWS and is left out",
        f"the layer {secrets} is an extension, which is not started here",
    ]


def test_a_module_that_only_the_tracing_layer_has_is_found(tmp_path: Path) -> None:
    """Not one of the function's packages, of its runtime, or of its own; nor OpenTelemetry, which the code means."""
    code, packages, tracing = (tmp_path / name for name in ("code", "own", "tracing"))
    for folder, names in (
        (code, "mine"),
        (packages, "boto3 wrapt"),
        (tracing, "mine boto3 requests idna opentelemetry wrapt"),
    ):
        for name in names.split():
            (folder / name).mkdir(parents=True)
    (code / "app.py").write_text("import boto3, mine, json, opentelemetry.trace\nfrom requests.adapters import Retry\n")
    (code / "later.py").write_text("def handler(event, context):\n    import wrapt, idna\n    from . import charset\n")
    (code / "broken.py").write_text("def (")
    assert borrowed(code, [packages], [tracing]) == ["idna", "requests"]


def test_archives_with_one_name_are_unpacked_apart(tmp_path: Path) -> None:
    """And one that is no archive leaves its function out, with the reason."""
    codes = [tmp_path / name / "code.zip" for name in ("one", "two")]
    for archive in codes:
        archive.parent.mkdir()
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("name.txt", archive.parent.name)
    texts = []
    for archive in codes:
        function = prepared(tmp_path, [], [], Content(archive))
        assert isinstance(function, Function)
        assert function.code is not None
        texts.append((function.code / "name.txt").read_text())
    assert texts == ["one", "two"]
    codes[0].write_text("nothing")
    broken = f"{codes[0]} cannot be unpacked: File is not a zip file\n  build it again"
    assert prepared(tmp_path, [], [], Content(codes[0])) == Refused("F", "F", broken)


@pytest.mark.parametrize(
    ("durable", "module", "expected"),
    [
        ({"ExecutionTimeout": 60}, "app", [("aws-durable-execution-sdk-python",)]),
        ({"ExecutionTimeout": 60}, "aws_durable_execution_sdk_python", []),
        (None, "app", []),
    ],
)
def test_a_durable_function_has_the_sdk_of_lambdas_runtime(
    tmp_path: Path, durable: dict[str, object] | None, module: str, expected: list[object]
) -> None:
    """Unless its code brings one."""
    (tmp_path / "code" / module).mkdir(parents=True)
    installed: list[Any] = []
    prepared(tmp_path, installed, [], Content(tmp_path / "code"), durable=durable)
    assert installed == expected


def prepared(
    folder: Path,
    installed: list[list[str]],
    said: list[str],
    code: Content,
    layers: tuple[Content, ...] = (),
    arns: tuple[str, ...] = (),
    durable: dict[str, object] | None = None,
) -> Function | Refused:
    """A function that is prepared without an installation: `installed` gets its packages' names, `said` the notes."""

    def distributions(names: list[str], _: object) -> Path:
        installed.append(names)
        return Path("made")

    packages: Any = SimpleNamespace(
        pythons={(3, 12): Path("python")},
        runtime=lambda _: Path("python"),
        distributions=distributions,
        layer=lambda *_: None,
    )
    prepare = Preparation(packages, folder, folder, Builds(folder, packages.pythons, said.append), "none", said.append)
    return prepare(Declared("F", "F", (3, 12), "app.handler", 3, 128, code, "", layers, arns, "", durable=durable), {})


BOOTSTRAP = Path(__file__).parents[4] / "otel/lambda_latency/local/sandbox/bootstrap.py"
ANSWER = """
import runpy, sys
bootstrap = runpy.run_path(sys.argv[1])
bootstrap["reach"](sys.argv[2])
from http.client import HTTPSConnection
connection = HTTPSConnection(sys.argv[2].partition("://")[2])
connection.request("PUT", "/answer", "{}")
print(connection.getresponse().status)
"""


class Taking(Handler):
    """What CloudFormation is."""

    def do_PUT(self) -> None:
        self.body()
        self.answer(201)


def test_an_answer_by_https_reaches_the_emulator() -> None:
    """In the process of a function; libraries such as crhelper use nothing else."""
    with closing(Server(Taking)) as server:
        command = [sys.executable, "-c", ANSWER, str(BOOTSTRAP), f"http://{server.address}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("201\n", "")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"ResponseURL": "http://localhost:1/a?b=c"}, {"ResponseURL": "http://127.0.0.1:2/a?b=c"}),
        ({"Records": []}, {"Records": []}),
    ],
)
def test_a_request_of_cloudformation_is_answered_at_the_proxy(event: object, expected: object) -> None:
    """Whose address the sandbox knows; another event is as it was."""
    assert json.loads(with_response_url(json.dumps(event).encode(), "http://127.0.0.1:2")) == expected
    assert with_response_url(b"none", "http://127.0.0.1:2") == b"none"
