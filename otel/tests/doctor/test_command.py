"""`lambda-latency doctor` as a whole: what it prints and writes, its statuses, and templates that are hard to read."""

import json
import time
from pathlib import Path

import pytest

from lambda_latency.cli import main
from lambda_latency.doctor import RULES
from lambda_latency.documentation import page_address
from lambda_latency.version import VERSION
from tests.doctor.apps import ChangedApp, write

SMALL = ChangedApp("SAM", {"MemorySize: 512": "MemorySize: 192"})
OLD = ChangedApp("SAM", {"Runtime: python3.13": "Runtime: python3.9"})
MEMORY = next(rule for rule in RULES if rule.name == "memory-small")


def doctor(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Status, output and messages of the command; a template comes before its options."""
    words = [*map(str, arguments)]
    template = ["--template"] if words and not words[0].startswith("-") else []
    try:
        status = main(["doctor", *template, *words])
    except SystemExit as error:
        status = int(str(error.code))
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_a_warning_is_told_with_effect_and_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0."""
    template = write(SMALL, tmp_path)
    assert doctor(capsys, template) == (
        0,
        (
            f"{template}:7: warning: each function has 192 MB, one 9th of a processor [memory-small]\n"
            f"  {MEMORY.effect}\n"
            "  Do: give it 256 MB or more; 512 MB often costs no more.\n"
            "\n"
            "1 warning. lambda-latency doctor --explain RULE explains a rule.\n"
        ),
        "",
    )


def test_status_3_is_for_errors_and_strict_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else."""
    template = write(SMALL, tmp_path / "small")
    assert doctor(capsys, template, "--strict")[0] == 3
    assert doctor(capsys, write(OLD, tmp_path / "old"))[0] == 3
    note = ChangedApp("SAM", {"{ Type: Api, Properties: { Path: /, Method: GET } }": "{ Type: HttpApi }"})
    assert doctor(capsys, write(note, tmp_path / "note"), "--strict")[0] == 0


def test_a_folder_stands_for_its_template(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                          monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """And the current folder for itself."""
    write(ChangedApp("SAM"), tmp_path)
    monkeypatch.chdir(tmp_path)
    assert doctor(capsys) == doctor(capsys, tmp_path) == (0, "No findings.\n", "")


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("    MemorySize: 192  # lambda-latency: ignore memory-small", False),
        ("    # lambda-latency: ignore layer-old, memory-small\n    MemorySize: 192", False),
        ("    MemorySize: 192  # lambda-latency: ignore layer-old", True),
    ],
)
def test_a_comment_ignores_a_rule(
    line: str, is_found: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the line or above it; the one that it names, and no other."""
    template = write(ChangedApp("SAM", {"    MemorySize: 512": line}), tmp_path)
    assert ("[memory-small]" in doctor(capsys, template)[1]) == is_found


def test_an_option_and_the_settings_ignore_a_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown one is wrong usage, with the nearest."""
    template = write(SMALL, tmp_path)
    assert doctor(capsys, template, "--ignore", "memory-small")[1] == "No findings.\n"
    assert doctor(capsys, template, "--ignore", "memory-smal") == (
        2, "", "lambda-latency: there is no rule 'memory-smal'\n  did you mean memory-small?\n"
    )  # fmt: skip
    (tmp_path / "lambda-latency.toml").write_text('ignore = ["memory-small"]')
    monkeypatch.chdir(tmp_path)
    assert doctor(capsys)[1] == "No findings.\n"


def test_a_rule_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """With its section of the page."""
    text = f"memory-small (warning)\n\n{MEMORY.effect} {MEMORY.why}\n\nPage: {MEMORY.page}\n"
    assert doctor(capsys, "--explain", "memory-small") == (0, text, "")
    assert doctor(capsys, "--explain", "x")[0] == 2


def test_findings_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In place of the text."""
    template = write(SMALL, tmp_path)
    expected = {
        "schema": 1,
        "findings": [
            {
                "rule": "memory-small", "severity": "warning", "path": str(template), "line": 7,
                "what": "each function has 192 MB, one 9th of a processor", "effect": MEMORY.effect,
                "todo": "give it 256 MB or more; 512 MB often costs no more",
                "page": page_address("reference/doctor#memory-small"),
            }
        ],
    }  # fmt: skip
    assert json.loads(doctor(capsys, template, "--format", "json")[1]) == expected


def test_findings_as_sarif(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One run, the rules that found something, a place each."""
    template = write(SMALL, tmp_path)
    log = json.loads(doctor(capsys, template, "--format", "sarif")[1])
    (run,) = log["runs"]
    assert (log["version"], run["tool"]["driver"]["name"], run["tool"]["driver"]["version"]) == (
        "2.1.0", "lambda-latency doctor", VERSION
    )  # fmt: skip
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["memory-small"]
    assert run["results"] == [
        {
            "ruleId": "memory-small",
            "level": "warning",
            "message": {
                "text": f"each function has 192 MB, one 9th of a processor. {MEMORY.effect} "
                "Do: give it 256 MB or more; 512 MB often costs no more."
            },
            "locations": [
                {"physicalLocation": {"artifactLocation": {"uri": str(template)}, "region": {"startLine": 7}}}
            ],
        }
    ]


def test_a_nested_template_is_read_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its own lines; a circle ends."""
    write(SMALL, tmp_path / "inner")
    outer = tmp_path / "template.yaml"
    outer.write_text(
        "Resources:\n"
        "  Inner: { Type: AWS::Serverless::Application, Properties: { Location: inner/template.yaml } }\n"
        "  Itself: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: template.yaml } }\n"
    )
    status, printed, _ = doctor(capsys, outer)
    assert (status, printed.splitlines()[0].split(": warning")[0]) == (0, f"{tmp_path / 'inner' / 'template.yaml'}:7")


def test_a_nested_template_may_have_no_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has alarms, or a table."""
    (tmp_path / "alarms.yaml").write_text("Resources: {Topic: {Type: AWS::SNS::Topic}}\n")
    outer = tmp_path / "template.yaml"
    outer.write_text("Resources: {Alarms: {Type: AWS::Serverless::Application, Properties: {Location: alarms.yaml}}}\n")
    assert doctor(capsys, outer) == (0, "No findings.\n", "")


def test_functions_of_nested_templates_that_leave_no_trace_are_named_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither of two; none if one of them is traced."""
    outer = tmp_path / "template.yaml"
    nested = "{ Type: AWS::Serverless::Application, Properties: { Location: %s } }"
    outer.write_text(f"Resources:\n  A: {nested % 'a.yaml'}\n  B: {nested % 'b.yaml'}\n")
    inner = (
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
        "    Properties: { Runtime: python3.12, Handler: a.b, InlineCode: x, MemorySize: 512%s }\n"
    )
    (tmp_path / "a.yaml").write_text(inner % "")
    (tmp_path / "b.yaml").write_text(inner % "")
    _, said, _ = doctor(capsys, outer)
    note = f"{tmp_path / 'a.yaml'}:3: note: no function is traced by X-Ray or OpenTelemetry [nothing-traced]"
    assert (said.splitlines()[0], said.count("nothing-traced")) == (note, 1)
    (tmp_path / "b.yaml").write_text(inner % ", Tracing: Active")
    assert "nothing-traced" not in doctor(capsys, outer)[1]


def test_a_resource_may_have_its_type_by_a_merge_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a function as any other; its own values come first."""
    template = tmp_path / "template.yaml"
    template.write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  A: &function\n    Type: AWS::Serverless::Function\n"
        "    Properties: &own { Runtime: python3.12, Handler: a.b, InlineCode: x, MemorySize: 512, Tracing: Active }\n"
        "  B: { <<: *function, Properties: { <<: *own, MemorySize: 128 } }\n"
    )
    status, said, _ = doctor(capsys, template)
    assert (status, "has no Type" in said) == (0, False)


EVERYWHERE = """\
Transform: AWS::Serverless-2016-10-31
Parameters: {P: {Type: String}}
Conditions: {C: !Equals [!Ref P, a], D: !Not [!Condition D]}
Globals: {Function: {Layers: !Split [",", !Ref P], Tracing: !Ref P, Timeout: !If [C, 1, 2], MemorySize: !If [D, 3, 4]}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: !Sub "${P}.handler"
      Runtime: !FindInMap [M, !Ref P, x]
      CodeUri: !Ref P
      Role: !If [C, !Ref P, !GetAtt [R, Arn]]
      Architectures: !If [C, [arm64], [x86_64]]
      Environment: !If [C, {Variables: {A: b}}, !Ref AWS::NoValue]
      Layers: [!If [C, !Ref P, !Ref AWS::NoValue], {Fn::If: [C, x, y]}, !Join [":", [arn, !Ref P]]]
      Events: {E: {Type: Api, Properties: {RestApiId: {Fn::ImportValue: x}, Path: !Ref P, Method: get}}}
      Policies: [!Ref P, {Statement: [{Effect: Allow, Action: !Ref P, Resource: "*"}]}]
  G: {Type: AWS::Lambda::Function, Properties: !Transform {Name: AWS::Include, Parameters: {Location: x}}}
  R: {Type: AWS::IAM::Role, Properties: {Policies: !If [C, [], []], ManagedPolicyArns: !Split [",", !Ref P]}}
  S: {Type: AWS::XRay::SamplingRule, Properties: {SamplingRule: {ServiceName: !Ref P, ServiceType: !Ref P}}}
Mappings: {M: {a: {x: python3.13}}}
"""


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "x", "Resources: 3\n", "Resources: {A: 3, B: [], C: null}\n",
        "a: [\n", "\x00", '{\n\t"Resources": {}\n}',
        "Resources: {F: {Type: AWS::Serverless::Function}}\n",
        "Resources: {F: {Type: AWS::Serverless::Function, Properties: [1]}}\nGlobals: 3\nParameters: 1\n",
        "Resources: " + "{A: " * 3000 + "1" + "}" * 3000,
        "a: &a {b: c}\nResources: {F: {<<: *a, Type: AWS::Lambda::Function, Properties: {<<: [*a]}}}\n",
        EVERYWHERE,
    ],
)  # fmt: skip
def test_any_text_is_answered(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With findings or without, never with a stack trace."""
    (tmp_path / "template.yaml").write_text(text)
    status, printed, messages = doctor(capsys, tmp_path)
    assert (status in (0, 3), messages) == (True, "")
    assert printed.endswith(("No findings.\n", "explains a rule.\n"))


def test_intrinsic_functions_everywhere_are_not_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is unknown is no finding, but that a condition is undecided is said."""
    (tmp_path / "template.yaml").write_text(EVERYWHERE)
    status, out, errors = doctor(capsys, tmp_path)
    said = [line.partition(": note: ")[2] for line in out.splitlines() if ": note: " in line]
    assert (status, errors) == (0, "")
    assert said == [
        f"condition {name} is undecided, because {why} unknown: false is assumed [condition-undecided]"
        for name, why in (("C", "P is"), ("D", "its definition is"))
    ]
    assert out.splitlines()[-1].startswith("2 notes. ")


def test_no_file_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 3."""
    status, printed, _ = doctor(capsys, tmp_path / "gone.yaml")
    assert (status, printed.splitlines()[0]) == (
        3, f"{tmp_path / 'gone.yaml'}:1: error: cannot be read (No such file or directory) [unreadable]"
    )  # fmt: skip


def test_a_template_of_10_000_lines_is_answered_in_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under five seconds; the limit here leaves a busy machine twelve times that."""
    function = write(ChangedApp("SAM"), tmp_path).read_text().partition("  Get:\n")[2]
    function += "    # for orders\n" * 15
    lines = (tmp_path / "template.yaml").read_text() + "".join(f"  F{number}:\n{function}" for number in range(450))
    (tmp_path / "template.yaml").write_text(lines)
    start_s = time.monotonic()
    assert (len(lines.splitlines()) > 9_000, doctor(capsys, tmp_path)[1]) == (True, "No findings.\n")
    assert time.monotonic() - start_s < 60
