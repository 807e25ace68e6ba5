"""Two apps without a finding, and changes that plant one: SAM started by ADOT's layer, CloudFormation by the kit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lambda_latency.doctor import Deployment, diagnose

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
class ChangedApp:
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


def write(changed: ChangedApp, folder: Path) -> Path:
    """Write the changed app into a folder; returns its template."""
    texts = {"template.yaml": APPS[changed.app], **FILES}
    changes = {"template.yaml": changed.changes, **changed.files}
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


def found_in(changed: ChangedApp, folder: Path) -> list[tuple[str, str, int]]:
    """Rule, file and line of all that is found."""
    template = write(changed, folder)
    findings = diagnose(template, Deployment(region=changed.region))
    return [(finding.rule, str(Path(finding.path).relative_to(folder)), finding.line) for finding in findings]


def line_of(changed: ChangedApp, folder: Path) -> int:
    """The number of the one line that has `at`."""
    lines = (folder / changed.file).read_text().splitlines()
    whole = [number for number, line in enumerate(lines, 1) if line == changed.at]
    (number,) = whole or [number for number, line in enumerate(lines, 1) if changed.at in line]
    return number


ADOT = "arn:aws:lambda:eu-west-1:615299751070:layer:AWSOpenTelemetryDistroPython:26"
ADOT_US = "arn:aws:lambda:us-east-1:615299751070:layer:AWSOpenTelemetryDistroPython:29"
COLLECTOR = "arn:aws:lambda:eu-west-1:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1"
COLLECTOR_US = "arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-amd64-ver-0-117-0:1"
ENDPOINT = "        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://localhost:4318/v1/traces\n"
SHARED = SAM.split("Variables:\n")[1].split("  Api:", maxsplit=1)[0]
ALIKE = ", ".join(line.strip() for line in SHARED.strip().splitlines())
URI = "        OPENTELEMETRY_COLLECTOR_CONFIG_URI: /var/task/collector.yaml\n"
WRAPPER = "        AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-instrument\n"
KIT_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER: /opt/lambda-latency/wrapper\n"
POWERTOOLS = "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python"
POLICY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
EVENT = "{ Type: Api, Properties: { Path: /, Method: GET } }"
SAMPLING = """\
  Rule:
    Type: AWS::XRay::SamplingRule
    Properties:
      SamplingRule:
        ServiceName: NAME
        ServiceType: TYPE
"""
NAMED_API = """\
  Api:
    Type: AWS::Serverless::Api
    Properties: { Name: shop, StageName: live }
"""
PLAIN = "Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n"

UNTRACED = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Other:
    Type: AWS::Serverless::Function
    Properties: { Runtime: nodejs22.x, Handler: app.handler, CodeUri: other/ }
  Get:
    Type: AWS::Serverless::Function
    Properties: { Runtime: python3.13, Handler: app.handler, CodeUri: src/, Layers: [!Ref Own] }
  Own:
    Type: AWS::Serverless::LayerVersion
"""

INTEGRATED = """\
openapi: 3.0.1
paths:
  /:
    get:
      x-amazon-apigateway-integration:
        type: aws_proxy
        uri: { 'Fn::Sub': 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Get.Arn}/invocations' }
"""
EVENTS = f"      Events:\n        Get: {EVENT}\n"
INCLUDED = "{ 'Fn::Transform': { Name: 'AWS::Include', Parameters: { Location: openapi.yaml } } }"


sam, cfn = partial(ChangedApp, "SAM"), partial(ChangedApp, "CloudFormation")
# The changes that make the function a container image, in either app.
IMAGE = {
    "    Runtime: python3.13\n": "",
    "    CodeUri: src/\n": "",
    "      Handler: app.handler\n": "      PackageType: Image\n",
}
KIT_IMAGE = {
    "      Runtime: python3.13\n      Handler: app.handler\n      Code: src/\n": "      PackageType: Image\n",
}
KIT_ENDPOINT, KIT_URI = f"  {ENDPOINT}", f"  {URI}"
# The changes by which the app of CloudFormation sends OTLP to X-Ray.
OTLP = {
    KIT_ENDPOINT: "          LAMBDA_LATENCY_EXPORT: otlp\n",
    KIT_URI: "",
    f"        - {COLLECTOR_US}\n": "",
}


def adot(*variables: str) -> dict[str, str]:
    """The change that gives the app of SAM more variables."""
    return {WRAPPER: WRAPPER + "".join(f"        {variable}\n" for variable in variables)}


def kit(*variables: str) -> dict[str, str]:
    """The change that gives the app of CloudFormation more variables."""
    return {KIT_WRAPPER: KIT_WRAPPER + "".join(f"          {variable}\n" for variable in variables)}


def having(properties: str) -> dict[str, str]:
    """The change that gives the function of SAM more properties."""
    return {"Handler: app.handler": f"Handler: app.handler\n      {properties}"}


def coded(at: str, code: str, app: str = "SAM") -> ChangedApp:
    """An app with other code."""
    return ChangedApp(app, at=at, file="src/app.py", files={"src/app.py": code})


def behind(definition: str, kind: str = "Api") -> dict[str, str]:
    """The changes that put the function behind an API with a definition, in place of its event."""
    properties = f"{{ StageName: live, {definition} }}"
    api = f"  Defined:\n    Type: AWS::Serverless::{kind}\n    Properties: {properties}\n"
    return {EVENTS: "", "Resources:\n": f"Resources:\n{api}"}


def sampled(name: str, kind: str) -> str:
    """A sampling rule's resource."""
    return SAMPLING.replace("NAME", name).replace("TYPE", kind)


def taking_all(name: str, priority: int) -> str:
    """A sampling rule that takes every request."""
    named = "Host: '*', HTTPMethod: '*', ResourceARN: '*', URLPath: '*', ServiceName: '*', ServiceType: '*'"
    rule = f"SamplingRule: {{ {named},\n        Priority: {priority}, FixedRate: 0.1, ReservoirSize: 1, Version: 1 }}"
    return f"  {name}:\n    Type: AWS::XRay::SamplingRule\n    Properties:\n      {rule}\n"
