"""Conditions of a running app: the functions get what CloudFormation makes of their template."""

from __future__ import annotations

from pathlib import Path

from lab.apps import VERSION
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.read.declared import Declared
from tests.local.app.conftest import needs_packages, up

SHOW = """\
      InlineCode: |
        import os
        def handler(event, context):
            seconds = context.get_remaining_time_in_millis() / 1000
            return [context.memory_limit_in_mb, round(seconds), os.environ.get("WORD"), os.environ.get("LEFT")]
"""
FUNCTION = f"""\
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python{VERSION[0]}.{VERSION[1]}
      Handler: index.handler
{SHOW}"""
TEMPLATE = f"""\
Transform: AWS::Serverless-2016-10-31
Parameters: {{ Flag: {{ Type: String, Default: true }}, Stage: {{ Type: String }} }}
Mappings: {{ Stages: {{ dev: {{ Word: hello }} }} }}
Conditions:
  IsFlag: !Equals [!Ref Flag, true]
  InMap: !Equals [!FindInMap [Stages, dev, Word], hello]
  IsJoined: !Equals [!Join ["-", [a, !Ref Flag]], a-true]
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Work:
{FUNCTION}\
      MemorySize: !If [IsFlag, 256, 512]
      Timeout: !If [IsJoined, 17, 9]
      Environment:
        Variables:
          WORD: !If [InMap, !FindInMap [Stages, dev, Word], "no"]
          LEFT: !If [IsProd, "1", !Ref AWS::NoValue]
  Queue: {{ Type: AWS::SQS::Queue, Condition: IsFlag, Properties: {{ QueueName: jobs }}, DependsOn: Topic }}
  Topic: {{ Type: AWS::SNS::Topic, Condition: IsProd }}
  Inner:
    Type: AWS::Serverless::Application
    Properties: {{ Location: inner.yaml, Parameters: {{ Given: !GetAtt Queue.QueueName }} }}
"""
INNER = f"""\
Transform: AWS::Serverless-2016-10-31
Parameters: {{ Given: {{ Type: String }} }}
Conditions: {{ HasJobs: !Equals [!Ref Given, jobs] }}
Resources:
  Work:
{FUNCTION}\
      MemorySize: !If [HasJobs, 256, 512]
      Timeout: 17
      Environment: {{ Variables: {{ WORD: !If [HasJobs, jobs, none] }} }}
"""


@needs_packages
def test_functions_run_with_the_values_of_their_conditions(tmp_path: Path) -> None:
    """The emulator decides a condition on a value that it passes to a nested template; what is undecided is said."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    (tmp_path / "inner.yaml").write_text(INNER)
    app = read_app(path, {})
    assert {key: one.memory_mb for key, one in app.functions.items() if isinstance(one, Declared)} == {
        "Work": 256,
        "Inner/Work": 512,
    }
    with up(app, tmp_path) as shop:
        assert shop.result("Work", {}) == ["256", 17, "hello", None]
        assert shop.result("Inner/Work", {})[2:] == ["jobs", None]
        assert "Topic" not in shop.system.stack.resources
    outer, inner = (note for note in app.notes if ": condition " in note)
    why = "condition IsProd is undecided, because Stage is unknown: false is assumed"
    assert outer == f"{path}:8: {why} (--parameter Stage=VALUE)"
    why = "condition HasJobs is undecided, because Given is unknown: false is assumed"
    assert inner == f"{tmp_path / 'inner.yaml'}:3: {why} for functions; the emulator decides it for resources"
