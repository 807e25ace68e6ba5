"""For each rule the apps that come near its trap and have no finding."""

from __future__ import annotations

from tests.doctor.apps import FILES, SAM, Planted
from tests.doctor.plants import (
    ADOT,
    ADOT_US,
    COLLECTOR,
    COLLECTOR_US,
    ENDPOINT,
    EVENT,
    INCLUDED,
    INTEGRATED,
    KIT_WRAPPER,
    NAMED_API,
    POLICY,
    POWERTOOLS,
    UNTRACED,
    URI,
    WRAPPER,
    behind,
    sampled,
    taking_all,
)

# Another vendor's layer, which has the same wrapper and does not send to X-Ray.
VENDORS = {f"      - {ADOT}\n      - {COLLECTOR}\n": "      - REPLACE_WITH_LAYER_ARN\n", URI: "", ENDPOINT: "", "    Tracing: Active\n": "",
           "    TracingEnabled: true": "    TracingEnabled: false", "OTEL_PROPAGATORS: xray": "OTEL_PROPAGATORS: b3"}  # fmt: skip

NEAR: dict[str, tuple[Planted, ...]] = {
    "unreadable": (Planted("SAM", files={"template.yaml": SAM.replace("\n", "\r\n")}),),
    "duplicate-key": (Planted("SAM", {"    MemorySize: 512\n": "    MemorySize: 512\n    EphemeralStorage: { Size: 512 }\n"}),),
    "unknown-name": (Planted("SAM", {"Handler: app.handler": "Handler: app.handler\n      FunctionName: !Ref AWS::StackName"}),),
    "condition-undecided": (Planted("SAM", {"    Timeout: 10\n": "    Timeout: !If [Long, 10, 9]\n", "Resources:\n":
                                           "Parameters: { Stage: { Type: String, Default: prod } }\n"
                                           "Conditions: { Long: !Equals [!Ref Stage, prod] }\nResources:\n"}),),
    "no-function": (Planted("CloudFormation"),),
    "nothing-traced": (Planted("SAM", files={"template.yaml": UNTRACED, "src/app.py": "from opentelemetry.sdk import trace\ndef handler(e, c): ...\n"}),),
    "snapstart-connection": (Planted("SAM", {"    Timeout: 10\n": "    Timeout: 10\n    SnapStart: { ApplyOn: PublishedVersions }\n"},
                                    files={"src/app.py": "import psycopg\ndef handler(e, c):\n    return psycopg.connect('x')\n"}),),
    "layer-region": (Planted("SAM", region="eu-west-1"),),
    "layer-account": (Planted("SAM", {ADOT: "arn:aws:lambda:eu-central-2:156041407956:layer:AWSOpenTelemetryDistroPython:23", f"      - {COLLECTOR}\n":
                                     "", URI: "", ENDPOINT: ""}),),
    "layer-unavailable": (Planted("SAM", {ADOT: ADOT.replace("eu-west-1", "eu-north-1"), COLLECTOR: COLLECTOR.replace("eu-west-1", "eu-north-1")}),),
    "layer-architecture": (Planted("SAM", {"Architectures: [arm64]": "Architectures: [!Ref Processor]", "Resources:\n":
                                          "Parameters: { Processor: { Type: String } }\nResources:\n"}),),
    "layer-runtime": (Planted("SAM", {f"      - {COLLECTOR}\n": f"      - {COLLECTOR}\n      - {POWERTOOLS}313-arm64:18\n"}),),
    "layer-image": (Planted("CloudFormation", {"      Runtime: python3.13\n      Handler: app.handler\n      Code: src/\n": "      PackageType: Zip\n"
                                              "      Runtime: python3.13\n      Handler: app.handler\n      Code: src/\n"}),),
    "layer-old": (Planted("SAM", {ADOT: ADOT.replace(":26", ":27")}),),
    "layer-count": (Planted("CloudFormation", {"        - !Ref Kit\n": "        - !Ref Kit\n        - !Ref Kit\n        - !Ref Kit\n"}),),
    "layer-conditional": (Planted("SAM", {f"- {COLLECTOR}": f"- !If [T, {COLLECTOR}, !Ref AWS::NoValue]", "Resources:\n":
                                         "Parameters: { Wanted: { Type: String, Default: 'yes' } }\nConditions: { T: !Equals [!Ref Wanted, 'yes'] }\n"
                                         "Resources:\n"}),),
    "layer-size": (Planted("SAM", files={".aws-sam/build/Get/collector.yaml": FILES["src/collector.yaml"], ".aws-sam/build/Get/big": 1_000_000}),),
    "layer-twice": (Planted("SAM", {f"      - {COLLECTOR}\n": f"      - {COLLECTOR}\n      - !Sub arn:aws:lambda:${{AWS::Region}}:464622532012:layer:"
                                   "Datadog-Extension:99\n"}),),
    "wrapper-missing": (Planted("CloudFormation", {"/opt/lambda-latency/wrapper": "/var/task/wrapper"}, files={"src/wrapper": "#!/bin/sh\n"}),),
    "wrapper-image": (Planted("CloudFormation", {"      Runtime: python3.13\n      Handler: app.handler\n      Code: src/\n": "      PackageType: Image\n",
                                                f"      Layers:\n        - !Ref Kit\n        - {ADOT_US}\n        - {COLLECTOR_US}\n": "",
                                                f"          {KIT_WRAPPER}": ""}),),
    "layer-not-started": (Planted("SAM", {WRAPPER: ""}, files={"src/app.py": "from opentelemetry.sdk.trace import TracerProvider\ndef handler(e, c): ...\n"}),),
    "no-collector": (Planted("SAM", {f"      - {COLLECTOR}\n": "", URI: "", "http://localhost:4318/v1/traces": "https://otlp.example.com/v1/traces"}),),
    "endpoint-ignored": (Planted("SAM", {WRAPPER: f"{WRAPPER}        OTEL_AWS_LAMBDA_FAST_START: 'false'\n"}),),
    "protocol-ignored": (Planted("SAM", {WRAPPER: f"{WRAPPER}        OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf\n"}),),
    "propagators": (Planted("SAM", {"OTEL_PROPAGATORS: xray": "OTEL_PROPAGATORS: xray,baggage"}),
        Planted("SAM", VENDORS)),
    "variable-reserved": (Planted("SAM", {WRAPPER: f"{WRAPPER}        AWS_XRAY_CONTEXT_MISSING: LOG_ERROR\n"}),),
    "variable-unknown": (Planted("SAM", {WRAPPER: f"{WRAPPER}        OTEL_PYTHON_FLASK_EXCLUDED_URLS: health\n"}),),
    "variable-value": (Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          LAMBDA_LATENCY_FLUSH_MS: '100'\n"}),),
    "variable-misspelt": (Planted("SAM", {WRAPPER: f"{WRAPPER}        OTEL_TRACES_SAMPLER: parentbased_always_on\n        OTEL_LOGS_EXPORTER: file\n"}),),
    "tracing-disabled": (Planted("SAM", {WRAPPER: f"{WRAPPER}        OTEL_SDK_DISABLED: 'false'\n        OTEL_METRICS_EXPORTER: none\n"}),),
    "endpoint-path": (Planted("SAM", {"http://localhost:4318/v1/traces": "https://otlp.example.com/v1/traces"}),),
    "application-signals": (Planted("SAM", {'ENABLED: "false"': 'ENABLED: "true"'}),),
    "distro-unset": (Planted("SAM", {'ENABLED: "false"': 'ENABLED: "true"', "        OTEL_PYTHON_DISTRO: aws_distro\n": ""}),),
    "wrapper-replaced": (Planted("CloudFormation", {KIT_WRAPPER: f"{KIT_WRAPPER}          LAMBDA_LATENCY_XRAY_SDK: bridge\n"}),),
    "vpc-endpoint": (Planted("SAM", {"    Tracing: Active\n": "    Tracing: Active\n    VpcConfig: { SubnetIds: [s], SecurityGroupIds: [g] }\n", "Resources:\n":
                                    "Resources:\n  Xray: { Type: AWS::EC2::VPCEndpoint, Properties: { VpcId: v, ServiceName: !Sub 'com.amazonaws.${AWS::Region}.xray' } }\n"}),),
    "packages-clash": (Planted("SAM", files={"src/requirements.txt": "opentelemetry-api==1.42.1\nopentelemetry-instrumentation-redis==0.60b0\n"}),),
    "packages-refused": (Planted("SAM", files={"src/requirements.txt": "protobuf==6.33.5\nwrapt>=1.17\nrequests==2.32.5\n"}),),
    "packages-unknown": (Planted("SAM", {ADOT: ADOT.replace(":26", ":27")}),),
    "second-tracer": (Planted("SAM", {WRAPPER: f"{WRAPPER}        POWERTOOLS_TRACE_DISABLED: 'true'\n"},
                             files={"src/app.py": "from aws_lambda_powertools import Logger, Tracer\ndef handler(e, c): ...\n"}),),
    "collector-parts": (Planted("SAM", {"ver-0-117-0:1": "ver-0-130-0:1"},
                               files={"src/collector.yaml": {"service:\n": "processors:\n  batch:\nservice:\n"}}),),
    "collector-missing": (Planted("SAM", {"      Handler: app.handler": "      Handler: app.handler\n      CodeUri: s3://bucket/code.zip"}),),
    "collector-unread": (Planted("SAM", {f"      - {COLLECTOR}\n": "      - !ImportValue Collector\n"}),),
    "annotation-unsearchable": (Planted("SAM", files={"src/app.py": "def handler(e, span):\n    span.set_attribute('app.outcome', 1)\n"}),),
    "no-upstream": (Planted("SAM", {"    Tracing: Active\n": "    Tracing: PassThrough\n", EVENT: "{ Type: SQS, Properties: { Queue: arn } }"}),
        Planted("SAM", VENDORS)),
    "http-api": (Planted("SAM", {EVENT: "{ Type: S3, Properties: { Bucket: b } }"}),
        Planted("SAM", behind("DefinitionUri: openapi.yaml", "HttpApi"),
                files={"openapi.yaml": INTEGRATED.replace("{Get.", "{GetAll.")})),
    "api-untraced": (Planted("SAM", {"    TracingEnabled: true": "    TracingEnabled: !Ref Wanted", "Resources:\n":
                                    "Parameters: { Wanted: { Type: String } }\nResources:\n"}),
        Planted("SAM", behind(f"DefinitionBody: {INCLUDED}"), files={"openapi.yaml": INTEGRATED})),
    "function-untraced": (Planted("CloudFormation"),
        Planted("SAM", {"Handler: app.handler": "Handler: app.handler\n      Tracing: PassThrough", **behind("DefinitionUri: openapi.yaml")},
                files={"openapi.yaml": INTEGRATED.replace("{Get.", "{Other.")})),
    "sampling-unmatched": (Planted("SAM", {"Resources:\n": "Resources:\n" + NAMED_API + sampled("shop/*", "AWS::ApiGateway::Stage"),
                                          "Path: /,": "RestApiId: !Ref Api, Path: /,"}),),
    "sampling-ignored": (Planted("CloudFormation", {"Resources:\n": "Resources:\n" + taking_all("Last", 9000)}),),
    "region-without-xray": (Planted("SAM", {ADOT: "!Sub arn:aws:lambda:${AWS::Region}:156041407956:layer:AWSOpenTelemetryDistroPython:23",
                                           f"      - {COLLECTOR}\n": "", URI: "", ENDPOINT: ""}, region="eu-central-2"),),
    "role-without-xray": (Planted("CloudFormation", {POLICY: "!ImportValue Policy"}),
        Planted("SAM", {**VENDORS, "Handler: app.handler": "Handler: app.handler\n      Role: !GetAtt Role.Arn", "Resources:\n":
                        "Resources:\n  Role: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: {} } }\n"})),
    "role-without-spans": (Planted("CloudFormation", {"          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://localhost:4318/v1/traces\n": "          LAMBDA_LATENCY_EXPORT: otlp\n",
                                                     "          OPENTELEMETRY_COLLECTOR_CONFIG_URI: /var/task/collector.yaml\n": "", f"        - {COLLECTOR_US}\n": "",
                                                     POLICY: "arn:aws:iam::aws:policy/AWSXrayFullAccess"}),),
    "handler-missing": (Planted("CloudFormation", {"Handler: app.handler": "Handler: shared.handler"}),),
    "memory-small": (Planted("SAM", {"MemorySize: 512": "MemorySize: 256"}),),
    "timeout-small": (Planted("CloudFormation", {"Timeout: 10": "Timeout: 3"}),),
    "timeout-gateway": (Planted("SAM", {"Timeout: 10": "Timeout: 60", EVENT: "{ Type: Api, Properties: { Path: /, Method: GET, TimeoutInMillis: 60000 } }"}),
        Planted("SAM", {"Timeout: 10": "Timeout: 60", **behind("DefinitionUri: openapi.yaml")},
                files={"openapi.yaml": INTEGRATED + "        timeoutInMillis: 90000\n"})),
    "client-timeout": (Planted("SAM", files={"src/app.py": "import httpx\ndef handler(e, c):\n    return httpx.get('https://x')\n",
                                            "src/other.py": "import requests\nrequests.get('https://x')\n"}),
        Planted("SAM", files={"src/app.py": "import requests\nWAIT = 3\nsession = requests.Session()\ndef handler(e, c, timeout=30):\n"
                                            "    session.get('https://x', timeout=timeout)\n    return session.get('https://x', timeout=WAIT).text\n"}),
        Planted("SAM", files={"src/app.py": "import requests\nfrom own import Patient\nsession = requests.Session()\nsession.mount('https://', Patient(3))\n"
                                            "def handler(e, c):\n    return session.get('https://x').text\n"}),
        Planted("SAM", files={"src/app.py": "import socket, urllib.request\nsocket.setdefaulttimeout(3)\ndef handler(e, c):\n"
                                            "    return urllib.request.urlopen('https://x').read()\n"}),
        Planted("SAM", files={"src/app.py": "import urllib3, urllib.request as u\npool = urllib3.PoolManager(timeout=2)\ndef handler(e, c):\n"
                                            "    u.urlopen('https://x', None, 2)\n    return pool.request('GET', 'https://x').data\n"})),
    "client-default": (
        Planted("SAM", files={"src/app.py": "import boto3\nfrom botocore.config import Config\nFAST = Config(read_timeout=3, connect_timeout=1)\n"
                                            "s3 = boto3.client('s3', config=FAST)\ndef handler(e, c): ...\n"}),
        Planted("SAM", {"Timeout: 10": "Timeout: 61", EVENT: "{ Type: S3, Properties: { Bucket: b } }"}, files={
            "src/app.py": "import boto3\ns3 = boto3.client('s3')\ndef handler(e, c): ...\n"}),
        Planted("SAM", files={"src/app.py": "import boto3\nfrom own import fast\ns3 = boto3.client('s3', config=fast)\n"
                                            "sqs = boto3.client('sqs', **fast)\ndef handler(e, c): ...\n"}),
    ),
}  # fmt: skip
