"""For each rule the apps that have its trap, two at least."""

from __future__ import annotations

from tests.doctor.apps import FILES, SAM, Planted

ADOT = "arn:aws:lambda:eu-west-1:615299751070:layer:AWSOpenTelemetryDistroPython:26"
ADOT_US = "arn:aws:lambda:us-east-1:615299751070:layer:AWSOpenTelemetryDistroPython:29"
COLLECTOR = "arn:aws:lambda:eu-west-1:901920570463:layer:aws-otel-collector-arm64-ver-0-117-0:1"
COLLECTOR_US = "arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-collector-amd64-ver-0-117-0:1"
ENDPOINT = "        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://localhost:4318/v1/traces\n"
ALIKE = ", ".join(line.strip() for line in SAM.split("Variables:\n")[1].split("  Api:")[0].strip().splitlines())
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


PLANTED: dict[str, tuple[Planted, ...]] = {
    "unreadable": (
        Planted("SAM", files={"template.yaml": "Resources:\n  A: b: c\n"}, at="A: b: c"),
        Planted("CloudFormation", files={"template.yaml": "Outputs:\n  A: 1\n"}, at="Outputs"),
    ),
    "duplicate-key": (
        Planted("SAM", {"    MemorySize: 512\n": "    MemorySize: 512\n    MemorySize: 1024 # again\n"}, "# again"),
        Planted("CloudFormation", {"      Timeout: 10\n": "      Timeout: 5\n      Timeout: 10 # again\n"}, "# again"),
    ),
    "unknown-name": (
        Planted("SAM", {"Handler: app.handler": "Handler: app.handler\n      FunctionName: !Ref Naem"}, "Naem"),
        Planted("CloudFormation", {"RestApiId: !Ref Api\n      TracingEnabled": "RestApiId: !Ref Api\n      StageName: "
                                   "!Ref Stag\n      TracingEnabled"}, "!Ref Stag"),
    ),
    "condition-undecided": (
        Planted("SAM", {"    Timeout: 10\n": "    Timeout: !If [Long, 10, 9]\n", "Resources:\n":
                        "Parameters: { Stage: { Type: String } }\nConditions:\n  Long: !Equals [!Ref Stage, prod]\nResources:\n"}, "Long: !Equals"),
        Planted("CloudFormation", {"      Timeout: 10\n": "      Timeout: !If [Mine, 10, 9]\n", "Resources:\n":
                                   "Conditions:\n  Mine: !Equals [!Ref AWS::AccountId, '111111111111']\nResources:\n"}, "Mine: !Equals"),
    ),
    "no-function": (
        Planted("SAM", files={"template.yaml": PLAIN}, at="  Bucket:"),
        Planted("CloudFormation", files={"template.yaml": PLAIN.replace("Bucket:", "Topic:").replace("S3::Bucket",
                                                                                                    "SNS::Topic")}, at="  Topic:"),
    ),
    "nothing-traced": (
        Planted("SAM", files={"template.yaml": UNTRACED}, at="  Get:"),
        Planted("CloudFormation", files={"template.yaml": UNTRACED.replace("Serverless", "Lambda").replace("CodeUri", "Code")},
                at="  Get:"),
    ),
    "snapstart-connection": (
        Planted("SAM", {"    Timeout: 10\n": "    Timeout: 10\n    SnapStart: { ApplyOn: PublishedVersions }\n"},
                "psycopg.connect", "src/app.py", {"src/app.py": "import psycopg\nDB = psycopg.connect('x')\ndef handler(e, c): ...\n"}),
        Planted("CloudFormation", {"      Timeout: 10\n": "      Timeout: 10\n      SnapStart: { ApplyOn: PublishedVersions }\n"},
                "create_connection", "src/db.py",
                {"src/app.py": "import db\ndef handler(e, c): ...\n",
                 "src/db.py": "import socket\nif True:\n    S = socket.create_connection(('h', 1))\n"}),
    ),
    "layer-region": (
        Planted("SAM", {ADOT: ADOT.replace("eu-west-1", "eu-west-2"), COLLECTOR: "!Sub " + COLLECTOR.replace(
            "eu-west-1", "${AWS::Region}")}, "eu-west-2", region="eu-west-1"),
        Planted("CloudFormation", {ADOT_US: ADOT_US.replace("us-east-1", "us-west-2").replace(":29", ":33")}, "us-west-2", region="us-east-1"),
    ),
    "layer-account": (
        Planted("SAM", {ADOT: ADOT.replace("615299751070", "111122223333")}, "111122223333"),
        Planted("CloudFormation", {COLLECTOR_US: COLLECTOR_US.replace("901920570463", "615299751070")}, "615299751070:layer:aws-otel"),
    ),
    "layer-unavailable": (
        Planted("SAM", {ADOT: ADOT.replace("eu-west-1", "ap-northeast-3"), COLLECTOR: COLLECTOR.replace(
            "eu-west-1", "ap-northeast-3")}, "aws-otel-collector"),
        Planted("CloudFormation", {ADOT_US: "!Sub " + ADOT_US.replace("us-east-1", "${AWS::Region}"), f"        - {COLLECTOR_US}\n": "",
                                   "          OPENTELEMETRY_COLLECTOR_CONFIG_URI: /var/task/collector.yaml\n": "",
                                   "          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://localhost:4318/v1/traces\n":
                                   "          LAMBDA_LATENCY_EXPORT: daemon\n"}, "AWSOpenTelemetryDistroPython", region="us-gov-west-1"),
    ),
    "layer-architecture": (
        Planted("SAM", {"aws-otel-collector-arm64": "aws-otel-collector-amd64"}, "aws-otel-collector-amd64"),
        Planted("CloudFormation", {"      Code: src/\n": "      Code: src/\n      Architectures: [arm64]\n"}, "aws-otel-collector-amd64"),
    ),
    "layer-runtime": (
        Planted("SAM", {"Runtime: python3.13": "Runtime: python3.9"}, "AWSOpenTelemetryDistroPython"),
        Planted("CloudFormation", {ADOT_US: ADOT_US.replace("DistroPython:29", "DistroJs:13")}, "AWSOpenTelemetryDistroJs"),
        Planted("SAM", {f"      - {COLLECTOR}\n": f"      - {COLLECTOR}\n      - {POWERTOOLS}312-arm64:18\n"}, "Powertools"),
    ),
    "layer-old": (
        Planted("SAM", {ADOT: ADOT.replace(":26", ":25")}, "AWSOpenTelemetryDistroPython:25"),
        Planted("CloudFormation", {"ver-0-117-0": "ver-0-102-1"}, "ver-0-102-1"),
    ),
    "layer-count": (
        Planted("SAM", {"    Environment:": "".join(f"      - !Ref L{n}\n" for n in range(4)) + "    Environment:",
                        "Resources:\n": "Resources:\n" + "".join(f"  L{n}: {{ Type: AWS::Serverless::LayerVersion }}\n" for n in range(4))},
                "- !Ref L3"),
        Planted("CloudFormation", {"        - !Ref Kit\n": "".join(f"        - !Ref Kit # {n}\n" for n in range(4))}, COLLECTOR_US),
    ),
    "layer-conditional": (
        Planted("SAM", {"    Layers:\n": "    Layers: !If # here\n     - Traced\n     -\n", f"      - {ADOT}\n      - {COLLECTOR}\n":
                        f"      - {ADOT}\n      - {COLLECTOR}\n     - []\n", "Resources:\n":
                        "Parameters: { Wanted: { Type: String, Default: 'yes' } }\nConditions: { Traced: !Equals [!Ref Wanted, 'yes'] }\n"
                        "Resources:\n  Own: { Type: AWS::Serverless::LayerVersion }\n",
                        "Handler: app.handler\n": "Handler: app.handler\n      Layers: [!Ref Own]\n"}, "# here"),
        Planted("SAM", {"Handler: app.handler\n": "Handler: app.handler\n      Environment:\n        Variables: !If [T, { A: b, " + ALIKE + " }, {}]\n",
                        "Resources:\n": "Parameters: { Wanted: { Type: String, Default: 'yes' } }\nConditions: { T: !Equals [!Ref Wanted, 'yes'] }\n"
                        "Resources:\n"}, "!If [T"),
    ),
    "layer-size": (
        Planted("SAM", at="  Get:", files={".aws-sam/build/Get/collector.yaml": FILES["src/collector.yaml"], ".aws-sam/build/Get/big": 230_000_000}),
        Planted("CloudFormation", at="  Work:", files={"src/requests-2.32.5.dist-info/big": 230_000_000}),
        Planted("SAM", at="  Get:", files={"src/models/big": 240_000_000}),
    ),
    "layer-twice": (
        Planted("SAM", {f"      - {COLLECTOR}\n": f"      - {COLLECTOR}\n      - !Sub arn:aws:lambda:${{AWS::Region}}:464622532012:layer:"
                        "Datadog-Python313:99\n"}, "Datadog"),
        Planted("CloudFormation", {f"        - {ADOT_US}\n": f"        - {ADOT_US}\n        - arn:aws:lambda:us-east-1:184161586896:layer:"
                                   "opentelemetry-python-0_13_0:1\n"}, "opentelemetry-python"),
    ),
    "wrapper-missing": (
        Planted("SAM", {f"      - {ADOT}\n": "", "aws_configurator\n": "aws_configurator # x\n"}, "EXEC_WRAPPER"),
        Planted("CloudFormation", {"/opt/lambda-latency/wrapper": "/var/task/wrapper"}, "/var/task/wrapper"),
    ),
    "layer-image": (
        Planted("SAM", {"    Runtime: python3.13\n": "", "    CodeUri: src/\n": "", "      Handler: app.handler\n":
                        "      PackageType: Image\n"}, ADOT),
        Planted("CloudFormation", {"      Runtime: python3.13\n      Handler: app.handler\n      Code: src/\n": "      PackageType: Image\n"}, "!Ref Kit"),
    ),
    "wrapper-image": (
        Planted("SAM", {"    Runtime: python3.13\n": "", "    CodeUri: src/\n": "", "      Handler: app.handler\n":
                        "      PackageType: Image\n", f"    Layers:\n      - {ADOT}\n      - {COLLECTOR}\n": ""}, "EXEC_WRAPPER"),
        Planted("CloudFormation", {"      Runtime: python3.13\n      Handler: app.handler\n      Code: src/\n": "      PackageType: Image\n",
                                   f"      Layers:\n        - !Ref Kit\n        - {ADOT_US}\n        - {COLLECTOR_US}\n": ""}, "EXEC_WRAPPER"),
    ),
    "layer-not-started": (
        Planted("SAM", {WRAPPER: ""}, ADOT),
        Planted("CloudFormation", {f"          {KIT_WRAPPER}": ""}, ADOT_US),
    ),
    "no-collector": (
        Planted("SAM", {f"      - {COLLECTOR}\n": "", URI: ""}, "OTLP_TRACES_ENDPOINT"),
        Planted("CloudFormation", {f"        - {COLLECTOR_US}\n": "", "          OPENTELEMETRY_COLLECTOR_CONFIG_URI: /var/task/collector.yaml\n"
                                   "          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://localhost:4318/v1/traces\n": ""}, "EXEC_WRAPPER"),
    ),
    "endpoint-ignored": (
        Planted("SAM", {WRAPPER: f"{WRAPPER}        OTEL_AWS_LAMBDA_FAST_START: 'true'\n"}, "OTLP_TRACES_ENDPOINT"),
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          LAMBDA_LATENCY_EXPORT: daemon\n"}, "OTLP_TRACES_ENDPOINT"),
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          LAMBDA_LATENCY_EXPORT: otlp\n          OTEL_EXPORTER_OTLP_ENDPOINT: http://c:4318\n"},
                "OTLP_ENDPOINT: http"),
    ),
    "protocol-ignored": (
        Planted("SAM", {WRAPPER: f"{WRAPPER}        OTEL_EXPORTER_OTLP_PROTOCOL: grpc\n"}, "PROTOCOL"),
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: http/json\n"}, "PROTOCOL"),
    ),
    "propagators": (
        Planted("SAM", {"OTEL_PROPAGATORS: xray": "OTEL_PROPAGATORS: xray,tracecontext"}, "OTEL_PROPAGATORS"),
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          OTEL_PROPAGATORS: tracecontext,baggage\n"}, "OTEL_PROPAGATORS"),
    ),
    "variable-reserved": (
        Planted("SAM", {WRAPPER: f"{WRAPPER}        AWS_REGION: eu-west-1\n"}, "AWS_REGION"),
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          _X_AMZN_TRACE_ID: a\n"}, "_X_AMZN"),
    ),
    "variable-unknown": (
        Planted("SAM", {WRAPPER: f"{WRAPPER}        OTEL_TRACE_SAMPLER: always_on\n"}, "TRACE_SAMPLER"),
        Planted("SAM", {"OPENTELEMETRY_COLLECTOR_CONFIG_URI": "OPENTELEMETRY_COLLECTOR_CONFIG_FILE"}, "CONFIG_FILE"),
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          LAMBDA_LATENCY_EXPORTS: daemon\n"}, "EXPORTS"),
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          LAMBDA_LATENCY_COLOUR: red\n"}, "COLOUR"),
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          LAMBDA_LATENCY_THEIRS: bank\n"}, "THEIRS"),
    ),
    "variable-value": (
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          LAMBDA_LATENCY_FLUSH_MS: 1s\n"}, "FLUSH_MS"),
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          OTEL_SPAN_EVENT_COUNT_LIMIT: many\n"}, "EVENT_COUNT"),
    ),
    "variable-misspelt": (
        Planted("SAM", {WRAPPER: f"{WRAPPER}        OTEL_TRACES_SAMPLER: parentbased_always_onn\n"}, "SAMPLER"),
        Planted("SAM", {WRAPPER: f"{WRAPPER}        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: http/protobuff\n"}, "protobuff"),
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          OTEL_METRICS_EXPORTER: non\n"}, "METRICS"),
    ),
    "tracing-disabled": (
        Planted("SAM", {WRAPPER: f"{WRAPPER}        OTEL_SDK_DISABLED: 'true'\n"}, "SDK_DISABLED"),
        Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          OTEL_TRACES_EXPORTER: none\n"}, "TRACES_EXPORTER"),
    ),
    "endpoint-path": (
        Planted("SAM", {"http://localhost:4318/v1/traces": "http://localhost:4318"}, "OTLP_TRACES_ENDPOINT"),
        Planted("CloudFormation", {"http://localhost:4318/v1/traces": "https://otlp.example.com/"}, "OTLP_TRACES_ENDPOINT"),
    ),
    "application-signals": (
        Planted("SAM", {'        OTEL_AWS_APPLICATION_SIGNALS_ENABLED: "false"\n': ""}, "EXEC_WRAPPER"),
        Planted("CloudFormation", {"/opt/lambda-latency/wrapper": "/opt/otel-instrument"}, "EXEC_WRAPPER"),
    ),
    "distro-unset": (
        Planted("SAM", {"        OTEL_PYTHON_DISTRO: aws_distro\n": ""}, "APPLICATION_SIGNALS"),
        Planted("CloudFormation", {KIT_WRAPPER: "AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-instrument\n"
                                   "          OTEL_AWS_APPLICATION_SIGNALS_ENABLED: false\n"}, "APPLICATION_SIGNALS"),
    ),
    "wrapper-replaced": (
        Planted("SAM", {WRAPPER: f"{WRAPPER}        LAMBDA_LATENCY_XRAY_SDK: bridge\n"}, "AWS_LAMBDA_EXEC_WRAPPER"),
        Planted("CloudFormation", {KIT_WRAPPER: "AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-instrument\n          LAMBDA_LATENCY_TRACE: 'true'\n"
                                   "          OTEL_PROPAGATORS: xray\n          OTEL_AWS_APPLICATION_SIGNALS_ENABLED: 'true'\n"}, "AWS_LAMBDA_EXEC_WRAPPER"),
    ),
    "vpc-endpoint": (
        Planted("SAM", {"    Tracing: Active\n": "    Tracing: Active\n    VpcConfig: { SubnetIds: [s], SecurityGroupIds: [g] }\n"}, "VpcConfig"),
        Planted("CloudFormation", {"      Timeout: 10\n": "      Timeout: 10\n      VpcConfig: { SubnetIds: [s], SecurityGroupIds: [g] }\n"}, "VpcConfig"),
    ),
    "packages-clash": (
        Planted("SAM", at="opentelemetry-api", file="src/requirements.txt", files={"src/requirements.txt": "requests\nopentelemetry-api==1.38.0\n"}),
        Planted("CloudFormation", at="  Work:", files={"src/opentelemetry_sdk-1.33.1.dist-info/METADATA": ""}),
    ),
    "packages-refused": (
        Planted("SAM", file="src/requirements.txt", files={"src/requirements.txt": "boto3==1.40.0\nprotobuf==4.25.8\n"}, at="protobuf"),
        Planted("CloudFormation", file="src/requirements.txt", files={"src/requirements.txt": "typing_extensions==4.4.0\n"}, at="typing_extensions"),
    ),
    "packages-unknown": (
        Planted("SAM", {ADOT: ADOT.replace(":26", ":27")}, "opentelemetry-api", file="src/requirements.txt",
                files={"src/requirements.txt": "opentelemetry-api==1.44.0\n"}),
        Planted("CloudFormation", {ADOT_US: ADOT_US.replace(":29", ":31")}, "  Work:",
                files={"src/opentelemetry_sdk-1.44.0.dist-info/METADATA": ""}),
    ),
    "second-tracer": (
        Planted("SAM", at="patch_all", file="src/app.py", files={"src/app.py": "from aws_xray_sdk.core import patch_all\ndef handler(e, c): ...\n"}),
        Planted("CloudFormation", at="powertools", file="src/requirements.txt",
                files={"src/requirements.txt": "aws-lambda-powertools[tracer]==3.20.0\n"}),
    ),
    "collector-parts": (
        Planted("SAM", at="  batch:", file="src/collector.yaml", files={"src/collector.yaml": {"service:\n": "processors:\n  batch:\nservice:\n"}}),
        Planted("CloudFormation", at="4319", file="src/collector.yaml", files={"src/collector.yaml": {"4318": "4319"}}),
    ),
    "collector-missing": (
        Planted("SAM", {"/var/task/collector.yaml": "/var/task/config/collector.yaml"}, "CONFIG_URI"),
        Planted("CloudFormation", {"/var/task/collector.yaml": "/var/task/collector.yml"}, "CONFIG_URI"),
    ),
    "collector-unread": (
        Planted("SAM", {f"      - {COLLECTOR}\n": "", ENDPOINT: ""}, "CONFIG_URI"),
        Planted("CloudFormation", {f"        - !Ref Kit\n        - {ADOT_US}\n        - {COLLECTOR_US}\n": f"        - {ADOT_US}\n",
                                   "/opt/lambda-latency/wrapper": "/opt/otel-instrument",
                                   "          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://localhost:4318/v1/traces\n":
                                   "          OTEL_AWS_APPLICATION_SIGNALS_ENABLED: 'true'\n"}, "CONFIG_URI"),
    ),
    "annotation-unsearchable": (
        Planted("SAM", at="app.tenant", file="src/app.py",
                files={"src/app.py": "def handler(e, span):\n    span.set_attribute('app.tenant', 1)\n    span.set_attribute('app.outcome', 1)\n"}),
        Planted("CloudFormation", at="app.plan", file="src/app.py",
                files={"src/app.py": "def handler(e, span):\n    span.set_attributes({\n        'app.outcome': 1,\n        'app.plan': 2})\n"}),
    ),
    "no-upstream": (
        Planted("SAM", {"    Tracing: Active\n": "    Tracing: PassThrough\n", EVENT: "{ Type: Schedule, Properties: { Schedule: rate(1 day) } }"},
                "Tracing: PassThrough"),
        Planted("CloudFormation", {"        Mode: Active": "        Mode: PassThrough", "TracingEnabled: true": "TracingEnabled: false"},
                "Mode: PassThrough"),
        Planted("SAM", {"    Tracing: Active\n": "    Tracing: PassThrough\n", **behind("DefinitionUri: openapi.yaml", "HttpApi")},
                "Tracing: PassThrough", files={"openapi.yaml": INTEGRATED}),
    ),
    "http-api": (
        Planted("SAM", {EVENT: "{ Type: HttpApi }"}, "HttpApi"),
        Planted("SAM", {EVENT: "{ Type: HttpApi, Properties: { Path: /x, Method: GET } }", "  Api:\n    TracingEnabled: true\n": ""}, "HttpApi"),
        Planted("SAM", behind("DefinitionUri: openapi.yaml", "HttpApi"), "Defined:", files={"openapi.yaml": INTEGRATED}),
    ),
    "api-untraced": (
        Planted("SAM", {"    TracingEnabled: true": "    TracingEnabled: false"}, "TracingEnabled"),
        Planted("CloudFormation", {"      TracingEnabled: true\n": ""}, "  Stage:"),
        Planted("SAM", {"    TracingEnabled: true": "    TracingEnabled: false", **behind(f"DefinitionBody: {INCLUDED}")},
                "TracingEnabled", files={"openapi.yaml": INTEGRATED}),
    ),
    "function-untraced": (
        Planted("SAM", {"Handler: app.handler": "Handler: app.handler\n      Tracing: PassThrough"}, "PassThrough"),
        Planted("CloudFormation", {"      TracingConfig:\n        Mode: Active\n": ""}, "  Work:"),
        Planted("SAM", {"Handler: app.handler": "Handler: app.handler\n      Tracing: PassThrough", **behind("DefinitionUri: openapi.yaml")},
                "PassThrough", files={"openapi.yaml": INTEGRATED}),
        Planted("SAM", files={"template.yaml": UNTRACED.replace("Resources:", "Globals: { Api: { TracingEnabled: true } }\nResources:")
                              .replace(", Layers: [!Ref Own] }", f", Events: {{ Get: {EVENT} }} }}")}, at="  Get:"),
    ),
    "sampling-unmatched": (
        Planted("SAM", {"Resources:\n": "Resources:\n" + NAMED_API + sampled("shop", "AWS::ApiGateway::Stage"),
                        "Path: /,": "RestApiId: !Ref Api, Path: /,"}, "ServiceName"),
        Planted("CloudFormation", {"Resources:\n": "Resources:\n" + sampled("'*'", "AWS::ApiGateway::RestApi")}, "ServiceType"),
    ),
    "sampling-ignored": (
        Planted("SAM", {"Resources:\n": "Resources:\n" + sampled("'*'", "AWS::Lambda::Function")}, "ServiceType"),
        Planted("CloudFormation", {"Resources:\n": "Resources:\n" + taking_all("First", 1) + taking_all("Second", 2)}, "Priority: 2"),
    ),
    "region-without-xray": (
        Planted("SAM", {f"      - {ADOT}\n      - {COLLECTOR}\n": "      - !Ref Own\n", "Resources:\n":
                        "Resources:\n  Own: { Type: AWS::Serverless::LayerVersion }\n"}, "Tracing: Active", region="us-isof-south-1"),
        Planted("CloudFormation", {f"        - {ADOT_US}\n        - {COLLECTOR_US}\n": "        - !ImportValue Layer\n"}, "Mode: Active",
                region="eu-isoe-west-1"),
    ),
    "role-without-xray": (
        Planted("SAM", {"Handler: app.handler": "Handler: app.handler\n      Role: !GetAtt Role.Arn", "Resources:\n":
                        "Resources:\n  Role: { Type: AWS::IAM::Role, Properties: { Policies: [{ PolicyDocument: { Statement: [{ Effect: Allow, "
                        "Action: 'xray:PutTraceSegments' }] } }] } }\n"}, "Role: !GetAtt"),
        Planted("CloudFormation", {POLICY: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}, "Role: !GetAtt"),
    ),
    "role-without-spans": (
        Planted("SAM", {"http://localhost:4318/v1/traces": "https://xray.eu-west-1.amazonaws.com/v1/traces", f"      - {COLLECTOR}\n": "", URI: ""}, "  Get:"),
        Planted("CloudFormation", {"          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://localhost:4318/v1/traces\n": "          LAMBDA_LATENCY_EXPORT: otlp\n",
                                   "          OPENTELEMETRY_COLLECTOR_CONFIG_URI: /var/task/collector.yaml\n": "", f"        - {COLLECTOR_US}\n": ""}, "Role: !GetAtt"),
    ),
    "handler-missing": (
        Planted("SAM", {"      Handler: app.handler": "      Handler: app.handlr"}, "Handler"),
        Planted("CloudFormation", {"Handler: app.handler": "Handler: app.handle"}, "Handler"),
    ),
    "memory-small": (
        Planted("SAM", {"MemorySize: 512": "MemorySize: 192"}, "MemorySize"),
        Planted("CloudFormation", {"      MemorySize: 512\n": ""}, "  Work:"),
    ),
    "timeout-small": (
        Planted("SAM", {"Timeout: 10": "Timeout: 3"}, "Timeout: 3"),
        Planted("SAM", {"    Timeout: 10\n": ""}, "  Get:"),
    ),
    "timeout-gateway": (
        Planted("SAM", {"Timeout: 10": "Timeout: 60"}, "Timeout: 60"),
        Planted("SAM", {"Handler: app.handler": "Handler: app.handler\n      Timeout: 30"}, "Timeout: 30"),
        Planted("SAM", {"Timeout: 10": "Timeout: 60", **behind(f"DefinitionBody: {INCLUDED}")}, "Timeout: 60",
                files={"openapi.yaml": INTEGRATED}),
    ),
    "client-timeout": (
        Planted("SAM", at="requests.get", file="src/app.py", files={"src/app.py": {", timeout=2": ""}}),
        Planted("CloudFormation", at="read_timeout", file="src/app.py",
                files={"src/app.py": "from botocore.config import Config\nC = Config(read_timeout=30)\ndef handler(e, c): ...\n"}),
        Planted("SAM", at="session.get", file="src/app.py", files={
            "src/app.py": "import requests\nWAIT = 30\nsession = requests.Session()\ndef handler(e, c):\n    return session.get('https://x', timeout=WAIT).text\n"}),
        Planted("SAM", at="self.http.post", file="src/app.py", files={
            "src/app.py": "import requests as r\nclass A:\n    def __init__(self):\n        self.http = r.Session()\n    def go(self):\n"
                          "        self.http.post('https://x')\ndef handler(e, c): ...\n"}),
        Planted("SAM", {WRAPPER: f"{WRAPPER}        WAIT_S: '15'\n"}, "requests.get", "src/app.py", {
            "src/app.py": "import os, requests\nWAIT = int(os.environ.get('WAIT_S', '2'))\ndef handler(e, c):\n    return requests.get('https://x', timeout=WAIT).text\n"}),
        Planted("SAM", at="Config(", file="src/app.py", files={
            "src/app.py": "import boto3\nfrom botocore.config import Config\nWAIT = 12\nC = Config(read_timeout=WAIT)\n"
                          "S3 = boto3.Session().client('s3', config=C)\ndef handler(e, c): ...\n"}),
        Planted("SAM", at="urlopen(", file="src/app.py", files={
            "src/app.py": "from urllib.request import urlopen\ndef handler(e, c):\n    return urlopen('https://x').read()\n"}),
        Planted("SAM", at="pool.request", file="src/app.py", files={
            "src/app.py": "import urllib3\npool = urllib3.PoolManager()\ndef handler(e, c):\n    return pool.request('GET', 'https://x').data\n"}),
        Planted("SAM", at="httpx.Client(", file="src/app.py", files={
            "src/app.py": "import httpx\ndef handler(e, c):\n    with httpx.Client(timeout=10.0) as http:\n        return http.get('https://x').text\n"}),
        Planted("SAM", at="session.post", file="src/app.py", files={
            "src/app.py": "import settings\nfrom clients import session\nfrom own.waits import LONG\ndef handler(e, c):\n    session.get('https://x', timeout=settings.SHORT)\n"
                          "    return session.post('https://x', timeout=LONG).text\n",
            "src/settings.py": "import os\nSHORT = float(os.getenv('SHORT', '1.5'))\n", "src/own/waits.py": "import settings as s\nLONG = (s.SHORT, 20)\n",
            "src/clients.py": "import requests\nsession = requests.Session()\n"}),
    ),
    "client-default": (
        Planted("SAM", at="boto3.client", file="src/app.py", files={
            "src/app.py": "import boto3\ns3 = boto3.client('s3')\nsqs = boto3.resource('sqs')\ndef handler(e, c): ...\n"}),
        Planted("CloudFormation", at=".resource(", file="src/app.py", files={
            "src/app.py": "from boto3 import Session\nfrom botocore.config import Config\nsession = Session()\nMORE = Config(retries={'max_attempts': 2})\n"
                          "table = session.resource('dynamodb', config=MORE)\ndef handler(e, c): ...\n"}),
        Planted("SAM", {"Timeout: 10": "Timeout: 60", EVENT: "{ Type: S3, Properties: { Bucket: b } }"}, "boto3.client", "src/app.py", {
            "src/app.py": "import boto3\ndef handler(e, c):\n    boto3.client('s3')\n"}),
    ),
}  # fmt: skip
