"""Two apps without a finding, and changes that plant one: SAM started by ADOT's layer, CloudFormation by the kit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambda_latency.doctor import Where, diagnose

SAM = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.13
    Architectures: [arm64]
    CodeUri: src/
    MemorySize: 512
    Timeout: 10
    Tracing: Active
    Layers:
      - arn:aws:lambda:eu-west-1:615299751070:layer:AWSOpenTelemetryDistroPython:26
      - arn:aws:lambda:eu-west-1:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1
    Environment:
      Variables:
        AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-instrument
        OPENTELEMETRY_COLLECTOR_CONFIG_URI: /var/task/collector.yaml
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://localhost:4318/v1/traces
        OTEL_PROPAGATORS: xray
        OTEL_AWS_APPLICATION_SIGNALS_ENABLED: "false"
        OTEL_PYTHON_DISTRO: aws_distro
        OTEL_PYTHON_CONFIGURATOR: aws_configurator
  Api:
    TracingEnabled: true
Resources:
  Get:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Events:
        Get: { Type: Api, Properties: { Path: /, Method: GET } }
"""
CLOUDFORMATION = """\
Resources:
  Kit:
    Type: AWS::Lambda::LayerVersion
    Properties:
      Content: { S3Bucket: bucket, S3Key: kit.zip }
  Work:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      Code: src/
      MemorySize: 512
      Timeout: 10
      Role: !GetAtt WorkRole.Arn
      TracingConfig:
        Mode: Active
      Layers:
        - !Ref Kit
        - arn:aws:lambda:us-east-1:615299751070:layer:AWSOpenTelemetryDistroPython:29
        - arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-amd64-ver-0-117-0:1
      Environment:
        Variables:
          AWS_LAMBDA_EXEC_WRAPPER: /opt/lambda-latency/wrapper
          OPENTELEMETRY_COLLECTOR_CONFIG_URI: /var/task/collector.yaml
          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://localhost:4318/v1/traces
  WorkRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: { Statement: [] }
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: { Name: work }
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties:
      RestApiId: !Ref Api
      TracingEnabled: true
  Method:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      Integration:
        Uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Work.Arn}/invocations
"""
COLLECTOR = """\
receivers:
  otlp:
    protocols:
      http:
        endpoint: localhost:4318
exporters:
  awsxray:
    indexed_attributes: [app.outcome]
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [awsxray]
"""
CODE = """\
import requests


def handler(event, context):
    return requests.get("https://example.com", timeout=2).text
"""
FILES = {"src/app.py": CODE, "src/collector.yaml": COLLECTOR, "src/requirements.txt": "requests==2.32.5\n"}
APPS = {"SAM": SAM, "CloudFormation": CLOUDFORMATION}


@dataclass(frozen=True, slots=True)
class Planted:
    """A change of an app, and the one line that is then found; nothing is found where `at` is empty.

    `changes` replace texts of the template, `files` are whole files, replaced texts of one (`{file: {old: new}}`), or
    files of so many bytes. `at` is a part of the line, of the template or of `file`.
    """

    app: str
    changes: Mapping[str, str] = field(default_factory=dict)
    at: str = ""
    file: str = "template.yaml"
    files: Mapping[str, str | int | Mapping[str, str]] = field(default_factory=dict)
    region: str = ""


def write(planted: Planted, folder: Path) -> Path:
    """Write the changed app into a folder; returns its template."""
    texts = {"template.yaml": APPS[planted.app], **FILES}
    changes = {"template.yaml": planted.changes, **planted.files}
    for name, change in changes.items():
        if isinstance(change, int):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("wb") as file:
                file.truncate(change)  # takes no room
            continue
        if isinstance(change, str):
            texts[name] = change
            continue
        for old, new in change.items():
            assert texts[name].count(old) == 1, (name, old)
            texts[name] = texts[name].replace(old, new)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "template.yaml"


def found_in(planted: Planted, folder: Path) -> list[tuple[str, str, int]]:
    """Rule, file and line of all that is found."""
    template = write(planted, folder)
    findings = diagnose(template, Where(region=planted.region))
    return [(one.rule, str(Path(one.path).relative_to(folder)), one.line) for one in findings]


def line_of(planted: Planted, folder: Path) -> int:
    """The number of the one line that has `at`."""
    lines = (folder / planted.file).read_text().splitlines()
    whole = [number for number, line in enumerate(lines, 1) if line == planted.at]
    (number,) = whole or [number for number, line in enumerate(lines, 1) if planted.at in line]
    return number
