"""Names that SAM or a macro makes are no unknown names."""

from __future__ import annotations

import pytest

from lambda_latency.template import Node, check_template, read_yaml

QUEUE = """\
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Rule:
          Type: EventBridgeRule
          Properties: { Pattern: { source: [a] }, DeadLetterConfig: { Type: SQS, QueueLogicalId: Dead } }
Outputs:
  Queue: { Value: !GetAtt Dead.Arn }
"""
INCLUDED = """\
Resources:
  Fn::Transform: { Name: AWS::Include, Parameters: { Location: s3://bucket/more.yaml } }
Outputs:
  Queue: { Value: !GetAtt Dead.Arn }
"""


@pytest.mark.parametrize("text", [QUEUE, INCLUDED, f"Fn::Transform: {{ Name: Mine }}\n{INCLUDED}"])
def test_a_generated_name_is_known(text: str) -> None:
    """The queue of an event, and what an included file may have."""
    root = read_yaml("t.yaml", text)
    assert isinstance(root, Node)
    assert check_template("t.yaml", root) == ()
