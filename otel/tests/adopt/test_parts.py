"""What adopting an app edits beside the template's functions, and what it says."""

from pathlib import Path

import pytest

from lambda_latency.adopt.reading import without_sdk
from lambda_latency.doctor import Deployment, diagnose
from lambda_latency.documentation import page_address
from tests.adopt.apps import FUNCTION, HANDLER, TEMPLATE, adopt, files, make_app, refused

SDK = "from aws_xray_sdk.core import patch_all\npatch_all()\n" + HANDLER
REQUIREMENTS = {
    ("requirements.txt", "aws-xray-sdk\nboto3\n"): "boto3\n",
    ("requirements.txt", "boto3\nAWS_xray.SDK[a]>=2,<3 ; python_version > '3'\n"): "boto3\n",
    ("requirements.txt", "aws-xray-sdk==2.14.0 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\nboto3\n"): "boto3\n",
    ("requirements.txt", "\ufeffaws-xray-sdk\r\nboto3\r\n"): "\ufeffboto3\r\n",
    ("requirements.txt", "aws-xray-sdk-extra\n"): "aws-xray-sdk-extra\n",
    ("requirements.txt", "# aws-xray-sdk\n"): "# aws-xray-sdk\n",
    ("requirements.txt", "aws-lambda-powertools[tracer]==3.2\n"): "aws-lambda-powertools==3.2\n",
    ("requirements.txt", "aws-lambda-powertools[parser, tracer]\n"): "aws-lambda-powertools[parser]\n",
    ("requirements.txt", "aws-lambda-powertools[all]\n"): "aws-lambda-powertools[all]\n",
    ("pyproject.toml", '[project]\ndependencies = [\n    "aws-xray-sdk>=2",  # traces\n    "boto3",\n]\n'): (
        '[project]\ndependencies = [\n    "boto3",\n]\n'
    ),
    ("pyproject.toml", '[tool.poetry.dependencies]\naws-xray-sdk = "^2"\nboto3 = "*"\n'): (
        '[tool.poetry.dependencies]\nboto3 = "*"\n'
    ),
    ("pyproject.toml", 'dependencies = ["aws-xray-sdk", "boto3"]\n'): 'dependencies = ["aws-xray-sdk", "boto3"]\n',
    ("Pipfile", '[packages]\naws-xray-sdk = "*"\n"boto3" = "*"\n'): '[packages]\n"boto3" = "*"\n',
    **{
        ("requirements.txt", text): text
        for text in (
            "# aws-lambda-powertools[all]\n",
            "boto3  # in place of aws-xray-sdk\n",
            "  # aws-xray-sdk\n",
            "git+https://example.com/sdk.git#egg=aws-xray-sdk\n",
        )
    },
}
SAID = {
    "git+https://example.com/sdk.git#egg=aws-xray-sdk\n": "names the X-Ray SDK in a form that is not edited",
    "aws-xray-sdk-extra\n": "names the X-Ray SDK in a form that is not edited",
    "aws-lambda-powertools[all]\n": "aws-lambda-powertools[all] depends on the X-Ray SDK",
    'dependencies = ["aws-xray-sdk", "boto3"]\n': "names the X-Ray SDK in a form that is not edited",
}


@pytest.mark.parametrize(("name", "text"), REQUIREMENTS)
def test_requirements_are_left_without_the_sdk(tmp_path: Path, name: str, text: str) -> None:
    """What is not plain stays, and is said with its line."""
    new, left = without_sdk(tmp_path / name, name, text)
    assert (new, [one.problem for one in left]) == (REQUIREMENTS[name, text], [SAID[text]] if text in SAID else [])


POETRY = """\
[tool.poetry.dependencies]
aws-lambda-powertools = { extras = ["tracer"], version = "^3" }
"""


def test_requirements_above_the_functions_are_named(tmp_path: Path) -> None:
    """Up to the repository's folder, with their lines; those outside of it are not the app's."""
    make_app(tmp_path / "repository" / "app")
    (tmp_path / "repository" / ".git").mkdir()
    for folder, text in (
        (".", "aws-xray-sdk\n"),
        ("repository", POETRY),
        ("repository/app", "boto3  # aws-xray-sdk\naws-xray-sdk==2.14\n"),
    ):
        name = "pyproject.toml" if "poetry" in text else "requirements.txt"
        (tmp_path / folder / name).write_text(text)
    status, out, _ = adopt(tmp_path / "repository" / "app")
    assert status == 0
    said = "requires the X-Ray SDK, above the functions' folders: remove it there if nothing but the functions needs it"
    told = [line for line in out.split("For you:\n")[1].splitlines() if "X-Ray" in line]
    assert told == [f"../pyproject.toml:2: {said}", f"requirements.txt:2: {said}"]


def test_extras_in_a_table_are_left_to_a_person(tmp_path: Path) -> None:
    """As poetry and Pipfile write them."""
    make_app(tmp_path)
    (tmp_path / "src" / "pyproject.toml").write_text(POETRY)
    said = "aws-lambda-powertools with the extra tracer depends on the X-Ray SDK"
    assert f"src/pyproject.toml:2: {said}: name the extras that are used, without tracer\n" in adopt(tmp_path)[1]


def test_a_lock_that_still_has_the_sdk_is_said(tmp_path: Path) -> None:
    """It is another tool's to make."""
    (tmp_path / "Pipfile.lock").touch()
    _, left = without_sdk(tmp_path / "Pipfile", "Pipfile", 'aws-xray-sdk = "*"\n')
    assert [str(one) for one in left] == ["Pipfile:1: Pipfile.lock still has the X-Ray SDK: regenerate Pipfile.lock"]


def test_a_function_with_the_sdk_keeps_the_layer_when_tracing_is_off(tmp_path: Path) -> None:
    """Its import would fail without; one that does not use it gets the layer by condition."""
    template = make_app(tmp_path / "uses", app_py=SDK, requirements_txt="aws-xray-sdk\n")
    assert adopt(template, "--write")[0] == 0
    text = template.read_text()
    in_text = [part in text for part in ("- !Ref LambdaLatency\n", "LAMBDA_LATENCY_XRAY_SDK", "Condition: Lambda")]
    assert in_text == [True, True, False]
    assert (tmp_path / "uses" / "src" / "requirements.txt").read_text() == ""
    other = make_app(tmp_path / "other")
    assert adopt(other, "--write")[0] == 0
    text = other.read_text()
    layer = "- !If [LambdaLatencyIsTraced, !Ref LambdaLatency,"
    assert [part in text for part in (layer, "XRAY_SDK", "Condition: L")] == [True, False, True]


def test_what_the_bridge_has_not_is_said(tmp_path: Path) -> None:
    """With the line, and what to do."""
    code = """\
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.daemon_config import DaemonConfig
xray_recorder.configure(plugins=("EC2Plugin",), service="shop")
xray_recorder.begin_segment("x")
tracer.ignore_endpoint(hostname="example.com")
"""
    make_app(tmp_path, app_py=code)
    status, out, _ = adopt(tmp_path)
    assert (status, [line for line in out.splitlines() if line.startswith("src/")]) == (0, [
        "src/app.py:2: imports aws_xray_sdk.core.daemon_config, which the bridge lacks: remove its uses",
        "src/app.py:3: configure(plugins=...) has no effect: remove it: the resource's attributes describe Lambda",
        "src/app.py:4: begin_segment has no effect in Lambda: write begin_subsegment",
        "src/app.py:5: ignore_endpoint has no effect: name its URLs in OTEL_PYTHON_EXCLUDED_URLS",
    ])  # fmt: skip


def test_requirements_in_utf_16(tmp_path: Path) -> None:
    """PowerShell's `>` writes them, and pip reads them: they stay in their encoding."""
    make_app(tmp_path, app_py=SDK)
    path = tmp_path / "src" / "requirements.txt"
    before = "aws-xray-sdk==2.14.0\r\nboto3\r\n".encode("utf-16")
    path.write_bytes(before)
    status, out, _ = adopt(tmp_path, "--write")
    assert (status, "-\ufeffaws-xray-sdk==2.14.0\r\n" in out) == (0, True)
    assert path.read_bytes() == "boto3\r\n".encode("utf-16")
    adopt(tmp_path, "--undo")
    assert path.read_bytes() == before


def test_packages_beside_the_code_are_not_the_apps(tmp_path: Path) -> None:
    """Nothing is said of what `pip install --target` put there; a project of one's own that it installed counts."""
    make_app(tmp_path)
    code = tmp_path / "src"
    for name, text in {
        "aws_xray_sdk/core/recorder.py": "from aws_xray_sdk.core.daemon_config import DaemonConfig\n",
        "helper/__init__.py": "from aws_xray_sdk.core.daemon_config import DaemonConfig\n",
        "single.py": "from aws_xray_sdk.core.daemon_config import DaemonConfig\n",
        "helper-1.0.dist-info/RECORD": "helper/__init__.py,sha256=aa,9\nsingle.py,,\nhelper-1.0.dist-info/RECORD,,\n",
    }.items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(text)
    _, out, _ = adopt(tmp_path)
    assert (bridges(out), [line for line in out.splitlines() if line.startswith("src/")]) == (["not needed"], [])
    (code / "helper-1.0.dist-info" / "direct_url.json").touch()
    _, out, _ = adopt(tmp_path)
    lacks = "imports aws_xray_sdk.core.daemon_config, which the bridge lacks: remove its uses"
    assert (bridges(out), [line for line in out.splitlines() if line.startswith("src/")]) == (
        ["yes"],
        [f"src/helper/__init__.py:1: {lacks}", f"src/single.py:1: {lacks}"],
    )


LAYER = """\
      Layers: [!Ref Shared, !Ref Elsewhere]
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties: { ContentUri: shared/ }
  Elsewhere:
    Type: AWS::Serverless::LayerVersion
    Properties: { ContentUri: s3://bucket/key }
"""


def test_code_in_a_layer_of_the_template_counts(tmp_path: Path) -> None:
    """A function whose layer uses the SDK needs the bridge."""
    make_app(tmp_path, TEMPLATE + LAYER)
    (tmp_path / "shared" / "python").mkdir(parents=True)
    (tmp_path / "shared" / "python" / "common.py").write_text("import boto3\n")
    assert bridges(adopt(tmp_path)[1]) == ["not needed"]
    (tmp_path / "shared" / "python" / "common.py").write_text(SDK)
    assert bridges(adopt(tmp_path)[1]) == ["yes"]


@pytest.mark.parametrize(
    ("code", "bridge", "said"),
    [
        ("CodeUri: ../build", "unknown", True),
        ("CodeUri: s3://bucket/key", "unknown", True),
        ("CodeUri: { Bucket: b, Key: k }", "unknown", True),
        ("InlineCode: 'def handler(event, context): return 1'", "not needed", False),
        ("InlineCode: 'from aws_xray_sdk.core import patch_all'", "yes", False),
    ],
)
def test_code_that_is_not_in_a_folder(tmp_path: Path, code: str, bridge: str, said: bool) -> None:
    """Whether it uses the SDK is unknown, and said; inline code is read."""
    make_app(tmp_path, TEMPLATE.replace("CodeUri: src/", code))
    status, out, _ = adopt(tmp_path)
    line = (
        "template.yaml:3: One: its code is not here, so it may use the X-Ray SDK or Powertools' Tracer: "
        "build it before adopt; or, if it does, set LAMBDA_LATENCY_XRAY_SDK to bridge"
    )
    assert (status, bridges(out), line in out.splitlines()) == (0, [bridge], said)


def bridges(out: str) -> list[str]:
    """The column `bridge` of the table."""
    lines = out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("function "))
    start, end = lines[head].index("bridge"), lines[head].index("permission")
    return [line[start:end].strip() for line in lines[head + 1 : lines.index("", head)]]


TWO = f"{TEMPLATE}      Tracing: Active  # ours\n{FUNCTION.format(name='Two')}"


def test_the_next_commands_name_the_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is the one that they find in the current folder."""
    template = make_app(tmp_path / "the app")
    monkeypatch.chdir(tmp_path)
    _, out, _ = adopt("the app", "--write")
    assert out.splitlines()[-2:] == [
        "  lambda-latency doctor --template 'the app/template.yaml'",
        "  lambda-latency serve --template 'the app/template.yaml'",
    ]
    adopt("the app", "--undo")
    monkeypatch.chdir(template.parent)
    _, out, _ = adopt("--write")
    assert out.splitlines()[-2:] == ["  lambda-latency doctor", "  lambda-latency serve"]


def test_requirements_that_a_function_left_alone_shares_stay(tmp_path: Path) -> None:
    """It still needs the SDK that they name; the adopted one gets the bridge."""
    make_app(tmp_path, TWO.replace("python3.12", "python3.9", 1), app_py=SDK, requirements_txt="aws-xray-sdk\n")
    status, out, _ = adopt(tmp_path, "--write")
    assert (status, bridges(out)) == (4, ["yes"])
    assert (tmp_path / "src" / "requirements.txt").read_text() == "aws-xray-sdk\n"


@pytest.mark.parametrize(
    ("start", "where"),
    [
        ("", "Globals,"),
        ("Globals:\n  Api:\n    OpenApiVersion: 3.0.3\n", "Globals"),
        ("Globals:\n  Function:\n    Timeout: 9\n", "Globals"),
    ],
)
def test_globals_get_what_all_functions_share(tmp_path: Path, start: str, where: str) -> None:
    """Functions that are alike are edited together; a tracing mode of one's own follows the parameter."""
    template = make_app(tmp_path, start + TWO)
    _, out, _ = adopt(tmp_path, "--write")
    text = template.read_text()
    assert [line.split()[3] for line in out.splitlines() if line.startswith(("One ", "Two "))] == [where] * 2
    assert (text.count("AWS_LAMBDA_EXEC_WRAPPER"), text.count("  Function:\n"), text.count("Globals:\n")) == (1, 1, 1)
    assert [line.strip() for line in text.splitlines() if line.strip().startswith("Tracing: !If")] == [
        "Tracing: !If [LambdaLatencyIsActive, Active, PassThrough]",
        "Tracing: !If [LambdaLatencyIsActive, Active, PassThrough]  # ours",
    ]


VARIABLES = """\
      Environment:
        Variables:
          AWS_XRAY_TRACING_NAME: !Sub "${AWS::StackName}-shop"  # ours
          AWS_XRAY_CONTEXT_MISSING: LOG_ERROR
          AWS_XRAY_SDK_ENABLED: "false"
          AWS_XRAY_DAEMON_ADDRESS: 127.0.0.1:2000
          AWS_XRAY_LOG_LEVEL: silent
"""


def test_the_sdks_variables_are_translated_or_said(tmp_path: Path) -> None:
    """A service's name is OpenTelemetry's; what the bridge reads stays without a word; the rest has no effect."""
    template = make_app(tmp_path, TEMPLATE + VARIABLES)
    _, out, _ = adopt(tmp_path, "--write")
    assert [line for line in out.splitlines() if line.startswith("template.yaml:1")] == [
        "template.yaml:13: AWS_XRAY_SDK_ENABLED is false: remove it, or the bridge records nothing",
        "template.yaml:14: AWS_XRAY_DAEMON_ADDRESS has no effect: remove it: the kit exports and logs by itself",
        "template.yaml:15: AWS_XRAY_LOG_LEVEL has no effect: remove it: the kit exports and logs by itself",
    ]
    assert '          OTEL_SERVICE_NAME: !Sub "${AWS::StackName}-shop"\n' in template.read_text()
    assert adopt(tmp_path, "--check")[0] == 0


def test_a_computed_name_of_the_service_is_said(tmp_path: Path) -> None:
    """It is written over lines."""
    lines = "      Environment:\n        Variables:\n          AWS_XRAY_TRACING_NAME:\n            Fn::Sub: a\n"
    make_app(tmp_path, TEMPLATE + lines)
    _, out, _ = adopt(tmp_path)
    assert "template.yaml:11: AWS_XRAY_TRACING_NAME is computed: give OTEL_SERVICE_NAME the same value\n" in out


ROLE = """\
      Role: !GetAtt Worker.Arn
  Worker:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {}
"""


@pytest.mark.parametrize(
    ("more", "told", "added"),
    [
        ("", "SAM's own role", 0),
        (ROLE, "Worker gets it", 1),
        (ROLE + "      ManagedPolicyArns:\n        - a\n", "Worker gets it", 1),
        (ROLE + "      ManagedPolicyArns: [a]\n", "Worker gets it", 1),
        (ROLE + "      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess']\n", "Worker has it", 1),
        ("      Role: arn:aws:iam::123456789012:role/mine\n", "by hand", 0),
    ],
)
def test_a_role_gets_the_permission(tmp_path: Path, more: str, told: str, added: int) -> None:
    """Once, where the template declares it; one from elsewhere is a person's."""
    template = make_app(tmp_path, TEMPLATE + more)
    status, out, _ = adopt(tmp_path, "--write")
    assert status == 0
    assert next(line for line in out.splitlines() if line.startswith("One ")).endswith(f"  {told}")
    assert template.read_text().count("AWSXRayDaemonWriteAccess") == added
    assert ("One: its role is not in this template: it needs xray:PutTraceSegments" in out) == (told == "by hand")


SPANS = "xray:PutSpans, xray:PutSpansForIndexing"


@pytest.mark.parametrize(
    ("more", "granted", "left"),
    [
        ("", 1, ""),
        ("      Policies: [AWSLambdaExecute]\n", 1, ""),
        ("      Policies: AWSLambdaExecute\n", 0, "One: its Policies are no list: it needs xray:PutSpans"),
        (ROLE, 1, ""),
        (ROLE + "      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess']\n", 1, ""),
    ],
)
def test_otlp_needs_the_permission_for_spans_too(tmp_path: Path, more: str, granted: int, left: str) -> None:
    """In the function's own policies, or in its role; written once, and the doctor is content with it."""
    template = make_app(tmp_path, TEMPLATE + more)
    _, out, _ = adopt(tmp_path, "--write", "--export", "otlp")
    assert (template.read_text().count(SPANS), left in out) == (granted, True)
    assert adopt(tmp_path, "--check", "--export", "otlp")[0] == 0
    found = {one.rule for one in diagnose(template, Deployment())}
    assert ("role-without-spans" in found) == (not granted)


NESTED = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Child:
    Type: AWS::Serverless::Application
    Properties:
      Location: child/template.yaml
"""


def test_a_nested_template_is_adopted_with_its_parent(tmp_path: Path) -> None:
    """One layer's folder; the parameter is passed on."""
    (tmp_path / "template.yaml").write_text(NESTED)
    make_app(tmp_path / "child")
    before = files(tmp_path)
    assert adopt(tmp_path, "--write")[0] == 0
    assert "        Tracing: !Ref Tracing\n" in (tmp_path / "template.yaml").read_text()
    child = (tmp_path / "child" / "template.yaml").read_text()
    assert ("      ContentUri: ../lambda-latency-layer/\n" in child, "\n  Tracing:\n" in child) == (True, True)
    assert adopt(tmp_path, "--check")[0] == 0
    assert adopt(tmp_path, "--undo")[0] == 0
    assert files(tmp_path) == before


def test_nothing_to_undo_is_said(tmp_path: Path) -> None:
    """Status 1."""
    make_app(tmp_path)
    assert "has no .lambda-latency/adopted.json" in refused(tmp_path, "--undo")[0]


@pytest.mark.parametrize(
    ("folder", "todo"),
    [
        ("cdk.out", f"add the layer in the CDK app: {page_address('how-to/adopt')} has an example"),
        (".serverless", f"add the layer in serverless.yml: {page_address('how-to/adopt')} has an example"),
        ("made", f"add the layer by hand: {page_address('how-to/existing-app')}"),
    ],
)
def test_a_template_without_sam_is_left_with_the_place_of_the_layer(tmp_path: Path, folder: str, todo: str) -> None:
    """Where another framework has made it, that is in the framework's own file."""
    template = tmp_path / folder / "stack.json"
    template.parent.mkdir()
    template.write_text('{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}')
    what = "stack.json:1: not a SAM template: Transform is not AWS::Serverless-2016-10-31"
    assert adopt(template) == (1, "", f"lambda-latency: {what}\n  {todo}\n")


SMALL = "template.yaml:3: One (128 MB): with so little memory a cold start takes seconds: set MemorySize to 256 or more"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", [SMALL]),
        ("      MemorySize: 256\n", []),
        ("      PackageType: Image\n", []),
    ],
)
def test_little_memory_is_noted(tmp_path: Path, more: str, said: list[str]) -> None:
    """Of functions that are adopted, with the default of 128 MB."""
    make_app(tmp_path, TEMPLATE + more)
    out = adopt(tmp_path)[1]
    assert [line for line in out.partition("For you:\n")[2].splitlines() if " One (" in line] == said
