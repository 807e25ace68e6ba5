"""Templates and sources that are hard to edit: edited right, or refused with a line and not a byte changed."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lambda_latency.adopt import AdoptError, check_clean
from lambda_latency.documentation import page_address
from tests.adopt.apps import FUNCTION, HANDLER, HEAD, TEMPLATE, adopt, files, make_app, refused
from tests.parts import Loader

LONG = HEAD + "Resources:\n" + "".join(
    FUNCTION.format(name=f"Function{number}") if number % 100 == 0 else f"  Table{number}:\n"
    f"    Type: AWS::Serverless::SimpleTable  # {number}\n    Properties:\n      TableName: table-{number}\n"
    + "      # for orders\n" * 5
    for number in range(490)
)  # fmt: skip

# What is edited: each is adopted, keeps its comments, is the same when written twice, and comes back to the byte.
EDITED = {
    "plain": TEMPLATE,
    "CRLF": TEMPLATE.replace("\n", "\r\n"),
    "no CodeUri": TEMPLATE.replace("      CodeUri: src/\n", ""),
    "BOM": "\ufeff" + TEMPLATE,
    "BOM and CRLF": "\ufeff" + TEMPLATE.replace("\n", "\r\n"),
    "no newline at the end": TEMPLATE.rstrip("\n"),
    "blank lines at the end": TEMPLATE + "\n\n\n",
    "comments everywhere": "# first\n" + TEMPLATE.replace("Resources:", "# of the resources\nResources: # here\n  # of One")
    + "      # deeper\n  # last\n# the very end\n",
    "flow style": HEAD + "Resources:\n  One: { Type: AWS::Serverless::Function, Properties: "
    "{ Runtime: python3.12, Handler: app.handler, CodeUri: src/, Environment: { Variables: { A: b } }, Layers: [] } }\n",
    "flow over lines": HEAD + "Resources:\n  One:\n    Type: AWS::Serverless::Function\n    Properties: {\n"
    "      Runtime: python3.12,\n      Handler: app.handler,\n      CodeUri: src/\n    }\n",
    "four spaces": TEMPLATE.replace("      ", "            ").replace("\n    T", "\n        T").replace("\n    P", "\n        P")
    .replace("\n  One", "\n    One"),
    "a list at its key's column": TEMPLATE + "      Layers:\n      - arn:aws:lambda:us-east-1:123456789012:layer:mine:1\n",
    "inline code with comments": HEAD + "Resources:\n  One:\n    Type: AWS::Serverless::Function\n    Properties:\n"
    "      Runtime: python3.12\n      Handler: index.handler\n      InlineCode: |\n        def handler(e, c):\n"
    "            return 1\n        # a comment of the code\n\n# a comment of the template\n",
    "folded text at the end": TEMPLATE + "      Description: >-\n        long\n        text # no comment\n\n",
    "an anchor elsewhere": TEMPLATE + "      Tags: &tags\n        a: b\n  Table:\n    Type: AWS::Serverless::SimpleTable\n"
    "    Properties:\n      Tags: *tags\n",
    "an alias at the end": HEAD + "Resources:\n  Table:\n    Type: AWS::Serverless::SimpleTable\n    Properties:\n"
    "      Tags: &tags\n        a: b\n" + FUNCTION.format(name="One") + "      Tags: *tags\n",
    "quoted keys": TEMPLATE.replace("Resources:", '"Resources":').replace("Properties:", "'Properties':"),
    "Globals": HEAD + "Globals:\n  Function:\n    Timeout: 3\nResources:\n" + FUNCTION.format(name="One")
    + FUNCTION.format(name="Two"),
    "Globals of another kind": HEAD + "Globals:\n  Api:\n    OpenApiVersion: 3.0.1\nResources:\n"
    + FUNCTION.format(name="One") + FUNCTION.format(name="Two"),
    "4,000 lines": LONG,
    "unicode": TEMPLATE.replace("Resources:", 'Description: "größer – 時間 😀"\nResources:'),
    "Fn::Transform of a table": TEMPLATE + "  Table:\n    Fn::Transform:\n      Name: AWS::Include\n"
    "      Parameters: { Location: s3://bucket/key }\n    Type: AWS::Serverless::SimpleTable\n",
    "a parameter called Tracing": TEMPLATE.replace("Resources:", "Parameters:\n  Tracing:\n    Type: String\nResources:"),
    "long intrinsic functions": TEMPLATE + "      Environment:\n        Variables:\n          Q:\n            Fn::Sub: ${One}\n"
    "      Role:\n        Fn::GetAtt:\n        - Role\n        - Arn\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n"
    "      AssumeRolePolicyDocument: {}\n",
    "two documents' end mark": TEMPLATE + "...\n",
    "document start": "---\n" + TEMPLATE,
    "a node function beside": TEMPLATE + FUNCTION.format(name="Other").replace("python3.12", "nodejs22.x"),
    "runtime by parameter": TEMPLATE.replace("python3.12", "!Ref Version").replace(
        "Resources:", "Parameters:\n  Version: { Type: String, Default: python3.13 }\nResources:"
    ),
}  # fmt: skip

EDITED |= {
    "sections without content": TEMPLATE.replace(
        "Resources:", "Parameters:\n  # Stage: { Type: String }\nConditions: {}\nMappings: {}  # none\nResources:"
    ),
    "null layers and environment": TEMPLATE + "      Layers:  # none\n      Environment:\n",
    "null variables": TEMPLATE + "      Environment:\n        Variables: ~\n",
    "empty layers and variables": TEMPLATE + "      Layers: []\n      Environment: { Variables: {} }\n",
}

# What is refused as a whole: the line that is printed.
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "tabs": (TEMPLATE.replace("    Type", "\tType"), "template.yaml:4: invalid YAML: found character '\\t' that cannot start any token"),
    "a key twice": (TEMPLATE + "      Runtime: python3.13\n", "template.yaml:9: 'Runtime' is defined twice"),
    "no UTF-8": (b"Description: \xff\n" + TEMPLATE.encode(), "template.yaml: byte 13 is not UTF-8"),
    "braces": (
        '{Transform: "AWS::Serverless-2016-10-31", Resources: {T: {Type: "AWS::Serverless::SimpleTable"}}}',
        "template.yaml:1: the template is in braces, and no JSON",
    ),
    "empty": ("", "template.yaml:1: the file is empty"),
    "a list": ("- a\n- b\n", "template.yaml:1: no Resources section"),
    "no resources": (HEAD, "template.yaml:1: no Resources section"),
    "no SAM": (TEMPLATE.replace(HEAD, "Description: none\n").replace("Serverless", "Lambda"),
               "template.yaml:1: not a SAM template: Transform is not AWS::Serverless-2016-10-31"),
    "a name that nothing has": (TEMPLATE + "      Role: !GetAtt Rle.Arn\n",
                                "template.yaml:9: GetAtt names 'Rle', which is not in the template"),
    "UTF-16": (TEMPLATE.encode("utf-16"), "template.yaml is UTF-16-LE, not UTF-8"),
    "unclosed quote": (TEMPLATE + '      Description: "open\n', "template.yaml:10: invalid YAML: found unexpected end of stream"),
    "two documents": (TEMPLATE + "---\na: b\n", "template.yaml:9: invalid YAML: but found another document"),
}  # fmt: skip

EDGE = """\
      AutoPublishAlias: live
  Site:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        DefaultCacheBehavior:
          LambdaFunctionAssociations: [{ EventType: viewer-request, LambdaFunctionARN: HERE }]
"""
SIGNED_SAID = (
    "One: it has code signing, and its layers must be signed, too: "
    "add the kit's layer by hand, signed, with --packages bundled"
)
EDGE_SAID = "One: it is Lambda@Edge, which has neither layers nor environment variables: leave it untraced"

# A function that is left to a person while the other one is adopted: the line that is printed.
LEFT = {
    "layers by condition": ("      Layers: !If [A, [a], [b]]\n",
                            "One: its Layers are not a list: make each item an !If of its own"),
    "a wrapper": ("      Environment:\n        Variables:\n          AWS_LAMBDA_EXEC_WRAPPER: /opt/other\n",
                  "One: its AWS_LAMBDA_EXEC_WRAPPER is /opt/other: a function has one wrapper: remove that one"),
    "a web server's wrapper": (
        "      Environment:\n        Variables:\n          AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap\n",
        ("One: its AWS_LAMBDA_EXEC_WRAPPER is /opt/bootstrap: "
        "keep it if it is Lambda Web Adapter's, and start the web server with opentelemetry-instrument")),
    "computed variables": ("      Environment:\n        Variables: !If [A, {a: b}, !Ref AWS::NoValue]\n",
                           "One: its Environment is computed: make each variable an !If of its own"),
    "Fn::Transform": ("      Fn::Transform: { Name: AWS::Include, Parameters: { Location: s3://bucket/key } }\n",
                      "One: its properties use a merge key or a transform: add layer, wrapper and variables there by hand"),
    "four layers": ("      Layers: [a, b, c, d]\n",
                    ("One: it would have 7 layers: a function has at most 5: join some, "
                    "or add fewer by --packages bundled or --export daemon")),
    "code signing": ("      CodeSigningConfigArn: !GetAtt Signing.Arn\n  Signing:\n    Type: AWS::Lambda::CodeSigningConfig\n",
                     SIGNED_SAID),
    "Lambda@Edge": (EDGE.replace("HERE", "!Ref One.Version"), EDGE_SAID),
    "Lambda@Edge by its version": (
        EDGE.replace("HERE", "!Ref V")
        + "  V:\n    Type: AWS::Lambda::Version\n    Properties: { FunctionName: !GetAtt One.Arn }\n",
        EDGE_SAID,
    ),
    "OpenTelemetry already": ("      Layers: ['arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-python-amd64-ver-1-32-0:2']\n",
                              "One: it has a layer of OpenTelemetry already: remove that layer and its variables first"),
}  # fmt: skip
LOOP = """\
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Resources:
  Fn::ForEach::Handlers:
    - Name
    - [A, B]
    - On${Name}:
        Type: AWS::Serverless::Function
        Properties: { Runtime: python3.12, Handler: app.handler, CodeUri: src/ }
"""
BY_HAND = "add layer, wrapper and variables there by hand"
NOTHING = "Nothing to do: no function can be adopted as it is."
SAME = "  Two:\n    Type: AWS::Serverless::Function\n    Properties: *same\n"
IMAGE = """\
  One:
    Type: AWS::Serverless::Function
    Metadata:
      Dockerfile: Dockerfile
    Properties:
      PackageType: Image
"""


def has(small: Any, large: Any) -> bool:
    """Whether all that is in the first is in the second."""
    if small is None:
        return True
    if isinstance(small, dict):
        return isinstance(large, dict) and all(name in large and has(one, large[name]) for name, one in small.items())
    if isinstance(small, list):
        return isinstance(large, list) and small == large[: len(small)]
    return bool(small == large)


@pytest.mark.parametrize("name", EDITED)
def test_a_template_is_edited_and_comes_back(tmp_path: Path, name: str) -> None:
    """All that was there stays, comments and line ends too; a second run finds nothing to do."""
    template = make_app(tmp_path, EDITED[name])
    before = files(tmp_path)
    status, _, err = adopt(tmp_path)
    assert (status, err, files(tmp_path)) == (0, "", before)
    assert adopt(tmp_path, "--write")[0] == 0
    old, new = EDITED[name], template.read_bytes().decode()
    assert has(yaml.load(old, Loader), yaml.load(new, Loader))  # noqa: S506 - a SafeLoader
    assert [line for line in old.splitlines() if line.strip().startswith("#")] == [
        line for line in new.splitlines() if line.strip().startswith("#")
    ]
    assert new.count("\n") == new.count("\r\n") or "\r" not in old
    written = files(tmp_path)
    assert adopt(tmp_path, "--write")[1].splitlines()[-1] == "Nothing to do: it is adopted."
    assert files(tmp_path) == written
    assert adopt(tmp_path, "--check") == (0, f"{template} is adopted and up to date.\n", "")
    assert adopt(tmp_path, "--undo")[0] == 0
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", REFUSED)
def test_a_template_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    """With its line and what to do; nothing is written."""
    text, line = REFUSED[name]
    make_app(tmp_path, text)
    what, _ = refused(tmp_path, "--write")
    assert what == f"lambda-latency: {line}"


@pytest.mark.parametrize("name", LEFT)
def test_a_function_that_cannot_be_edited_is_left(tmp_path: Path, name: str) -> None:
    """The other one is adopted; status 4, and the line says where, what, and what to do."""
    more, line = LEFT[name]
    conditions = "Conditions: { A: !Equals [a, a] }\n"
    text = HEAD + conditions + "Resources:\n" + FUNCTION.format(name="Two") + FUNCTION.format(name="One") + more
    make_app(tmp_path, text)
    status, out, _ = adopt(tmp_path, "--write")
    told = [one for one in out.splitlines() if one.startswith("template.yaml:")]
    (left,) = [one for one in told if " MB)" not in one]
    assert (status, left.split(": ", 1)[1]) == (4, line)
    assert "Two       python3.12  x86_64" in out
    assert "\n".join(text.splitlines()[-3:]) in (tmp_path / "template.yaml").read_text()


# Apps of which a part is left to a person, or nothing is done: the status, and a line that is printed.
LEFT_OUT = {
    "properties of another function": (
        TEMPLATE.replace("Properties:", "Properties: &same") + SAME,
        "template.yaml:10: Two: its properties are an alias of another function's: write out its properties",
    ),
    "an image": (
        f"{HEAD}Resources:\n{FUNCTION.format(name='Two')}{IMAGE}",
        f"template.yaml:14: One: it is a container image: copy the layer's files into the image: {page_address('how-to/container')}",
    ),
    "functions made by a loop": (
        LOOP,
        f"template.yaml:3: Fn::ForEach::Handlers makes its functions, which are not edited: {BY_HAND}",
    ),
    "an early runtime": (
        TEMPLATE.replace("python3.12", "python2.7"),
        f"template.yaml:6: One: its runtime is python2.7, so it stays untraced: raise it to python3.10 or later\n\n{NOTHING}",
    ),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_cannot_be_adopted_is_said(tmp_path: Path, name: str) -> None:
    """With its line, and what to do; an app with no other function is not called adopted."""
    text, line = LEFT_OUT[name]
    make_app(tmp_path, text)
    status, out, _ = adopt(tmp_path, "--write")
    assert (status, f"\n{line}\n" in out) == (4, True)


def test_a_source_that_is_no_python_is_said(tmp_path: Path) -> None:
    """The function is adopted all the same: what the file holds is not known."""
    make_app(tmp_path, app_py="from aws_xray_sdk.core import xray_recorder\ndef (:\n")
    status, out, _ = adopt(tmp_path)
    line = "src/app.py:2: not read: invalid syntax: correct it, or look for aws_xray_sdk there yourself"
    assert (status, line in out.splitlines()) == (0, True)


REFUSED_BY_SAM = {
    "a property that a function has not": (
        TEMPLATE + "      Tracking: 3\n",
        "template.yaml:9: `sam validate` refuses it: One: property Tracking not defined for resource of type AWS::",
    ),
    "a function without a handler": (
        TEMPLATE.replace("      Handler: app.handler\n", ""),
        "template.yaml:3: `sam validate` refuses it: One: Runtime and Handler needs to be present",
    ),
    "an event of no kind": (
        TEMPLATE + "      Events:\n        A:\n          Type: Nothing\n",
        "template.yaml:3: `sam validate` refuses it: One",
    ),
    "a section of Globals": (
        TEMPLATE + "Globals:\n  Function:\n    Handlr: app.handler\n",
        "template.yaml:11: `sam validate` refuses it: Globals: 'Handlr' is not a supported property of 'Function'",
    ),
}


@pytest.mark.parametrize("name", REFUSED_BY_SAM)
def test_what_sam_validate_refuses_is_refused(tmp_path: Path, name: str) -> None:
    """With SAM's reason and the line; not a byte is changed."""
    text, reason = REFUSED_BY_SAM[name]
    make_app(tmp_path, text)
    assert refused(tmp_path, "--write")[0].startswith(f"lambda-latency: {reason}")


def test_a_read_only_template_is_refused(tmp_path: Path) -> None:
    """Although its folder can be written."""
    template = make_app(tmp_path)
    template.chmod(0o444)
    assert refused(tmp_path, "--write") == ["lambda-latency: template.yaml is read-only", "  chmod u+w template.yaml"]


def test_a_template_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """By a link."""
    outside = make_app(tmp_path / "outside")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "template.yaml").symlink_to(outside)
    status, _, err = adopt(tmp_path / "app", "--write")
    assert (status, err.splitlines()[0]) == (1, f"lambda-latency: template.yaml is outside {tmp_path / 'app'}")
    assert outside.read_text() == TEMPLATE


def test_a_link_to_a_template_in_the_folder_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is edited, and comes back."""
    real = make_app(tmp_path).rename(tmp_path / "real.yaml")
    (tmp_path / "template.yaml").symlink_to("real.yaml")
    assert adopt(tmp_path, "--write")[0] == 0
    assert ((tmp_path / "template.yaml").is_symlink(), "LambdaLatency" in real.read_text()) == (True, True)
    assert adopt(tmp_path, "--undo")[0] == 0
    assert ((tmp_path / "template.yaml").is_symlink(), real.read_text()) == (True, TEMPLATE)


ALL_OR_NOTHING = {
    "lambda-latency-layer": "  nothing was changed",
    ".lambda-latency": "  restore it from git, or remove it",
}


@pytest.mark.parametrize("name", ALL_OR_NOTHING)
def test_all_is_written_or_nothing(tmp_path: Path, name: str) -> None:
    """A file stands where a folder has to be."""
    make_app(tmp_path)
    (tmp_path / name).write_text("in the way")
    assert refused(tmp_path, "--write", is_shown=name == "lambda-latency-layer")[-1] == ALL_OR_NOTHING[name]


def test_a_failure_half_way_puts_back_what_was_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The template is renamed into its place first, then the disk fails."""
    make_app(tmp_path, requirements_txt="aws-xray-sdk\n", app_py="import aws_xray_sdk.core\n" + HANDLER)
    rename: Callable[..., Any] = Path.replace
    renamed: list[Path] = []

    def fails(self: Path, target: Path) -> Any:
        renamed.append(target)
        if len(renamed) == 3:
            raise OSError(28, os.strerror(28))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    assert (refused(tmp_path, "--write", is_shown=True)[-1], len(renamed)) == ("  nothing was changed", 3)


def test_an_edited_file_is_not_undone(tmp_path: Path) -> None:
    """Neither is any other."""
    template = make_app(tmp_path)
    adopt(tmp_path, "--write")
    template.write_text(template.read_text() + "# mine\n")
    assert refused(tmp_path, "--undo")[0] == "lambda-latency: edited since they were written: template.yaml"


def test_a_dirty_tree_is_refused_without_force(tmp_path: Path) -> None:
    """What is written could not be told from one's own changes."""
    make_app(tmp_path)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert refused(tmp_path, "--write", is_shown=True) == [
        f"lambda-latency: {tmp_path} has changes that are not committed (?? src/)",
        "  commit them, or use --force",
    ]
    assert adopt(tmp_path, "--write", "--force")[0] == 0


def test_the_traces_that_serve_leaves_are_no_changes(tmp_path: Path) -> None:
    """Of an app in a folder of its repository; another new folder beside them is a change."""
    app = tmp_path / "app"
    make_app(app)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "The app"]):
        subprocess.run([*git, *command], check=True)
    (app / "out").mkdir()
    (app / "out" / "traces.jsonl").write_text("{}\n")
    (app / "other").mkdir()
    (app / "other" / "a.txt").touch()
    with pytest.raises(AdoptError, match=r"has changes that are not committed \(\?\? other/\)"):
        check_clean(app)
    (app / "other" / "a.txt").unlink()
    check_clean(app)
