"""For each rule the apps that have its trap, two at least, and those that come near it and have no finding."""

from tests.doctor.apps import (
    ADOT,
    ADOT_US,
    ALIKE,
    COLLECTOR,
    COLLECTOR_US,
    ENDPOINT,
    EVENT,
    FILES,
    IMAGE,
    INCLUDED,
    INTEGRATED,
    KIT_ENDPOINT,
    KIT_IMAGE,
    KIT_URI,
    KIT_WRAPPER,
    NAMED_API,
    OTLP,
    PLAIN,
    POLICY,
    POWERTOOLS,
    SAM,
    UNTRACED,
    URI,
    WRAPPER,
    ChangedApp,
    adot,
    behind,
    cfn,
    coded,
    having,
    kit,
    sam,
    sampled,
    taking_all,
)

PLANTED: dict[str, tuple[ChangedApp, ...]] = {
    "unreadable": (
        sam(files={"template.yaml": "Resources:\n  A: b: c\n"}, at="A: b: c"),
        cfn(files={"template.yaml": "Outputs:\n  A: 1\n"}, at="Outputs"),
    ),
    "duplicate-key": (
        sam({"    MemorySize: 512\n": "    MemorySize: 512\n    MemorySize: 1024 # again\n"}, "# again"),
        cfn({"      Timeout: 10\n": "      Timeout: 5\n      Timeout: 10 # again\n"}, "# again"),
    ),
    "unknown-name": (
        sam(having("FunctionName: !Ref Naem"), "Naem"),
        cfn({"RestApiId: !Ref Api\n      TracingEnabled": "RestApiId: !Ref Api\n      StageName: "
                                   "!Ref Stag\n      TracingEnabled"}, "!Ref Stag"),
    ),
    "condition-undecided": (
        sam({"    Timeout: 10\n": "    Timeout: !If [Long, 10, 9]\n", "Resources:\n":
                        "Parameters: { Stage: { Type: String } }\nConditions:\n  Long: !Equals [!Ref Stage, prod]\nResources:\n"}, "Long: !Equals"),
        cfn({"      Timeout: 10\n": "      Timeout: !If [Mine, 10, 9]\n", "Resources:\n":
                                   "Conditions:\n  Mine: !Equals [!Ref AWS::AccountId, '111111111111']\nResources:\n"}, "Mine: !Equals"),
    ),
    "no-function": (
        sam(files={"template.yaml": PLAIN}, at="  Bucket:"),
        cfn(files={"template.yaml": PLAIN.replace("Bucket:", "Topic:").replace("S3::Bucket",
                                                                                                    "SNS::Topic")}, at="  Topic:"),
    ),
    "nothing-traced": (
        sam(files={"template.yaml": UNTRACED}, at="  Get:"),
        cfn(files={"template.yaml": UNTRACED.replace("Serverless", "Lambda").replace("CodeUri", "Code")}, at="  Get:"),
    ),
    "snapstart-connection": (
        sam({"    Timeout: 10\n": "    Timeout: 10\n    SnapStart: { ApplyOn: PublishedVersions }\n"},
                "psycopg.connect", "src/app.py", {"src/app.py": "import psycopg\nDB = psycopg.connect('x')\ndef handler(e, c): ...\n"}),
        cfn({"      Timeout: 10\n": "      Timeout: 10\n      SnapStart: { ApplyOn: PublishedVersions }\n"},
                "create_connection", "src/db.py", {"src/app.py": "import db\ndef handler(e, c): ...\n",
                 "src/db.py": "import socket\nif True:\n    S = socket.create_connection(('h', 1))\n"}),
    ),
    "layer-region": (
        sam({ADOT: ADOT.replace("eu-west-1", "eu-west-2"), COLLECTOR: "!Sub " + COLLECTOR.replace(
            "eu-west-1", "${AWS::Region}")}, "eu-west-2", region="eu-west-1"),
        cfn({ADOT_US: ADOT_US.replace("us-east-1", "us-west-2").replace(":29", ":33")}, "us-west-2", region="us-east-1"),
    ),
    "layer-account": (
        sam({ADOT: ADOT.replace("615299751070", "111122223333")}, "111122223333"),
        cfn({COLLECTOR_US: COLLECTOR_US.replace("901920570463", "615299751070")}, "615299751070:layer:aws-otel"),
    ),
    "layer-unavailable": (
        sam({ADOT: ADOT.replace("eu-west-1", "ap-northeast-3"), COLLECTOR: COLLECTOR.replace(
            "eu-west-1", "ap-northeast-3")}, "aws-otel-collector"),
        cfn({ADOT_US: "!Sub " + ADOT_US.replace("us-east-1", "${AWS::Region}"), f"        - {COLLECTOR_US}\n": "",
                                   KIT_URI: "", KIT_ENDPOINT:
                                   "          LAMBDA_LATENCY_EXPORT: daemon\n"}, "AWSOpenTelemetryDistroPython", region="us-gov-west-1"),
    ),
    "layer-architecture": (
        sam({"aws-otel-collector-arm64": "aws-otel-collector-amd64"}, "aws-otel-collector-amd64"),
        cfn({"      Code: src/\n": "      Code: src/\n      Architectures: [arm64]\n"}, "aws-otel-collector-amd64"),
    ),
    "layer-runtime": (
        sam({"Runtime: python3.13": "Runtime: python3.9"}, "AWSOpenTelemetryDistroPython"),
        cfn({ADOT_US: ADOT_US.replace("DistroPython:29", "DistroJs:13")}, "AWSOpenTelemetryDistroJs"),
        sam({f"      - {COLLECTOR}\n": f"      - {COLLECTOR}\n      - {POWERTOOLS}312-arm64:18\n"}, "Powertools"),
    ),
    "layer-old": (
        sam({ADOT: ADOT.replace(":26", ":25")}, "AWSOpenTelemetryDistroPython:25"),
        cfn({"ver-0-117-0": "ver-0-102-1"}, "ver-0-102-1"),
    ),
    "layer-count": (
        sam({"    Environment:": "".join(f"      - !Ref L{n}\n" for n in range(4)) + "    Environment:",
                        "Resources:\n": "Resources:\n" + "".join(f"  L{n}: {{ Type: AWS::Serverless::LayerVersion }}\n" for n in range(4))},
                "- !Ref L3"),
        cfn({"        - !Ref Kit\n": "".join(f"        - !Ref Kit # {n}\n" for n in range(4))}, COLLECTOR_US),
    ),
    "layer-conditional": (
        sam({"    Layers:\n": "    Layers: !If # here\n     - Traced\n     -\n", f"      - {ADOT}\n      - {COLLECTOR}\n":
                        f"      - {ADOT}\n      - {COLLECTOR}\n     - []\n", "Resources:\n":
                        "Parameters: { Wanted: { Type: String, Default: 'yes' } }\nConditions: { Traced: !Equals [!Ref Wanted, 'yes'] }\n"
                        "Resources:\n  Own: { Type: AWS::Serverless::LayerVersion }\n",
                        "Handler: app.handler\n": "Handler: app.handler\n      Layers: [!Ref Own]\n"}, "# here"),
        sam({"Handler: app.handler\n": "Handler: app.handler\n      Environment:\n        Variables: !If [T, { A: b, " + ALIKE + " }, {}]\n",
                        "Resources:\n": "Parameters: { Wanted: { Type: String, Default: 'yes' } }\nConditions: { T: !Equals [!Ref Wanted, 'yes'] }\n"
                        "Resources:\n"}, "!If [T"),
    ),
    "layer-size": (
        sam(at="  Get:", files={".aws-sam/build/Get/collector.yaml": FILES["src/collector.yaml"], ".aws-sam/build/Get/big": 230_000_000}),
        cfn(at="  Work:", files={"src/requests-2.32.5.dist-info/big": 230_000_000}),
        sam(at="  Get:", files={"src/models/big": 240_000_000}),
    ),
    "layer-twice": (
        sam({f"      - {COLLECTOR}\n": f"      - {COLLECTOR}\n      - !Sub arn:aws:lambda:${{AWS::Region}}:464622532012:layer:"
                        "Datadog-Python313:99\n"}, "Datadog"),
        cfn({f"        - {ADOT_US}\n": f"        - {ADOT_US}\n        - arn:aws:lambda:us-east-1:184161586896:layer:"
                                   "opentelemetry-python-0_13_0:1\n"}, "opentelemetry-python"),
    ),
    "wrapper-missing": (
        sam({f"      - {ADOT}\n": "", "aws_configurator\n": "aws_configurator # x\n"}, "EXEC_WRAPPER"),
        cfn({"/opt/lambda-latency/wrapper": "/var/task/wrapper"}, "/var/task/wrapper"),
    ),
    "layer-image": (
        sam(IMAGE, ADOT),
        cfn(KIT_IMAGE, "!Ref Kit"),
    ),
    "wrapper-image": (
        sam({**IMAGE, f"    Layers:\n      - {ADOT}\n      - {COLLECTOR}\n": ""}, "EXEC_WRAPPER"),
        cfn({**KIT_IMAGE,
                                   f"      Layers:\n        - !Ref Kit\n        - {ADOT_US}\n        - {COLLECTOR_US}\n": ""}, "EXEC_WRAPPER"),
    ),
    "layer-not-started": (
        sam({WRAPPER: ""}, ADOT),
        cfn({f"          {KIT_WRAPPER}": ""}, ADOT_US),
    ),
    "no-collector": (
        sam({f"      - {COLLECTOR}\n": "", URI: ""}, "OTLP_TRACES_ENDPOINT"),
        cfn({f"        - {COLLECTOR_US}\n": "", KIT_URI + KIT_ENDPOINT: ""}, "EXEC_WRAPPER"),
    ),
    "endpoint-ignored": (
        sam(adot("OTEL_AWS_LAMBDA_FAST_START: 'true'"), "OTLP_TRACES_ENDPOINT"),
        cfn(kit("LAMBDA_LATENCY_EXPORT: daemon"), "OTLP_TRACES_ENDPOINT"),
        cfn(kit("LAMBDA_LATENCY_EXPORT: otlp", "OTEL_EXPORTER_OTLP_ENDPOINT: http://c:4318"), "OTLP_ENDPOINT: http"),
    ),
    "protocol-ignored": (
        sam(adot("OTEL_EXPORTER_OTLP_PROTOCOL: grpc"), "PROTOCOL"),
        cfn(kit("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: http/json"), "PROTOCOL"),
    ),
    "propagators": (
        sam({"OTEL_PROPAGATORS: xray": "OTEL_PROPAGATORS: xray,tracecontext"}, "OTEL_PROPAGATORS"),
        cfn(kit("OTEL_PROPAGATORS: tracecontext,baggage"), "OTEL_PROPAGATORS"),
    ),
    "variable-reserved": (
        sam(adot("AWS_REGION: eu-west-1"), "AWS_REGION"),
        cfn(kit("_X_AMZN_TRACE_ID: a"), "_X_AMZN"),
    ),
    "variable-unknown": (
        sam(adot("OTEL_TRACE_SAMPLER: always_on"), "TRACE_SAMPLER"),
        sam({"OPENTELEMETRY_COLLECTOR_CONFIG_URI": "OPENTELEMETRY_COLLECTOR_CONFIG_FILE"}, "CONFIG_FILE"),
        cfn(kit("LAMBDA_LATENCY_EXPORTS: daemon"), "EXPORTS"),
        cfn(kit("LAMBDA_LATENCY_COLOUR: red"), "COLOUR"),
        cfn(kit("LAMBDA_LATENCY_THEIRS: bank"), "THEIRS"),
    ),
    "variable-unread": (
        cfn(kit("OTEL_TRACES_SAMPLER: always_off"), "TRACES_SAMPLER"),
        cfn(kit("OTEL_METRICS_EXPORTER: non"), "METRICS"),
        cfn(kit("OTEL_BSP_SCHEDULE_DELAY: '500'"), "BSP"),
        cfn(kit("OTEL_TRACES_SAMPLER_ARG: !Ref AWS::Region", "LAMBDA_LATENCY_EXPORT: collector"), "SAMPLER_ARG"),
        cfn(kit("OTEL_EXPORTER_OTLP_HEADERS: a=secret", "LAMBDA_LATENCY_EXPORT: otlp"), "HEADERS"),
        cfn(kit("OTEL_EXPORTER_OTLP_CLIENT_KEY: /var/task/key.pem"), "CLIENT_KEY"),
    ),
    "variable-value": (
        cfn(kit("LAMBDA_LATENCY_FLUSH_MS: 1s"), "FLUSH_MS"),
        cfn(kit("OTEL_SPAN_EVENT_COUNT_LIMIT: many"), "EVENT_COUNT"),
    ),
    "variable-misspelt": (
        sam(adot("OTEL_TRACES_SAMPLER: parentbased_always_onn"), "SAMPLER"),
        sam(adot("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: http/protobuff"), "protobuff"),
        sam(adot("OTEL_METRICS_EXPORTER: non"), "METRICS"),
    ),
    "tracing-disabled": (
        sam(adot("OTEL_SDK_DISABLED: 'true'"), "SDK_DISABLED"),
        cfn(kit("OTEL_TRACES_EXPORTER: none"), "TRACES_EXPORTER"),
    ),
    "endpoint-path": (
        sam({"http://localhost:4318/v1/traces": "http://localhost:4318"}, "OTLP_TRACES_ENDPOINT"),
        cfn({"http://localhost:4318/v1/traces": "https://otlp.example.com/"}, "OTLP_TRACES_ENDPOINT"),
    ),
    "application-signals": (
        sam({'        OTEL_AWS_APPLICATION_SIGNALS_ENABLED: "false"\n': ""}, "EXEC_WRAPPER"),
        cfn({"/opt/lambda-latency/wrapper": "/opt/otel-instrument"}, "EXEC_WRAPPER"),
    ),
    "distro-unset": (
        sam({"        OTEL_PYTHON_DISTRO: aws_distro\n": ""}, "APPLICATION_SIGNALS"),
        cfn({KIT_WRAPPER: "AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-instrument\n"
                                   "          OTEL_AWS_APPLICATION_SIGNALS_ENABLED: false\n"}, "APPLICATION_SIGNALS"),
    ),
    "wrapper-replaced": (
        sam(adot("LAMBDA_LATENCY_XRAY_SDK: bridge"), "AWS_LAMBDA_EXEC_WRAPPER"),
        cfn({KIT_WRAPPER: "AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-instrument\n          LAMBDA_LATENCY_TRACE: 'true'\n"
                                   "          OTEL_PROPAGATORS: xray\n          OTEL_AWS_APPLICATION_SIGNALS_ENABLED: 'true'\n"}, "AWS_LAMBDA_EXEC_WRAPPER"),
    ),
    "vpc-endpoint": (
        sam({"    Tracing: Active\n": "    Tracing: Active\n    VpcConfig: { SubnetIds: [s], SecurityGroupIds: [g] }\n"}, "VpcConfig"),
        cfn({"      Timeout: 10\n": "      Timeout: 10\n      VpcConfig: { SubnetIds: [s], SecurityGroupIds: [g] }\n"}, "VpcConfig"),
    ),
    "packages-clash": (
        sam(at="opentelemetry-api", file="src/requirements.txt", files={"src/requirements.txt": "requests\nopentelemetry-api==1.38.0\n"}),
        cfn(at="  Work:", files={"src/opentelemetry_sdk-1.33.1.dist-info/METADATA": ""}),
    ),
    "packages-refused": (
        sam(file="src/requirements.txt", files={"src/requirements.txt": "boto3==1.40.0\nprotobuf==4.25.8\n"}, at="protobuf"),
        cfn(file="src/requirements.txt", files={"src/requirements.txt": "typing_extensions==4.4.0\n"}, at="typing_extensions"),
    ),
    "packages-unknown": (
        sam({ADOT: ADOT.replace(":26", ":27")}, "opentelemetry-api", file="src/requirements.txt",
                files={"src/requirements.txt": "opentelemetry-api==1.44.0\n"}),
        cfn({ADOT_US: ADOT_US.replace(":29", ":31")}, "  Work:",
                files={"src/opentelemetry_sdk-1.44.0.dist-info/METADATA": ""}),
    ),
    "second-tracer": (
        coded("patch_all", "from aws_xray_sdk.core import patch_all\ndef handler(e, c): ...\n"),
        cfn(at="powertools", file="src/requirements.txt",
                files={"src/requirements.txt": "aws-lambda-powertools[tracer]==3.20.0\n"}),
    ),
    "collector-parts": (
        sam(at="  batch:", file="src/collector.yaml", files={"src/collector.yaml": {"service:\n": "processors:\n  batch:\nservice:\n"}}),
        cfn(at="4319", file="src/collector.yaml", files={"src/collector.yaml": {"4318": "4319"}}),
    ),
    "collector-missing": (
        sam({"/var/task/collector.yaml": "/var/task/config/collector.yaml"}, "CONFIG_URI"),
        cfn({"/var/task/collector.yaml": "/var/task/collector.yml"}, "CONFIG_URI"),
    ),
    "collector-unread": (
        sam({f"      - {COLLECTOR}\n": "", ENDPOINT: ""}, "CONFIG_URI"),
        cfn({f"        - !Ref Kit\n        - {ADOT_US}\n        - {COLLECTOR_US}\n": f"        - {ADOT_US}\n",
                                   "/opt/lambda-latency/wrapper": "/opt/otel-instrument", KIT_ENDPOINT:
                                   "          OTEL_AWS_APPLICATION_SIGNALS_ENABLED: 'true'\n"}, "CONFIG_URI"),
    ),
    "annotation-unsearchable": (
        coded("app.tenant", "def handler(e, span):\n    span.set_attribute('app.tenant', 1)\n    span.set_attribute('app.outcome', 1)\n"),
        coded("app.plan", "def handler(e, span):\n    span.set_attributes({\n        'app.outcome': 1,\n        'app.plan': 2})\n", "CloudFormation"),
    ),
    "no-upstream": (
        sam({"    Tracing: Active\n": "    Tracing: PassThrough\n", EVENT: "{ Type: Schedule, Properties: { Schedule: rate(1 day) } }"},
                "Tracing: PassThrough"),
        cfn({"        Mode: Active": "        Mode: PassThrough", "TracingEnabled: true": "TracingEnabled: false"},
                "Mode: PassThrough"),
        sam({"    Tracing: Active\n": "    Tracing: PassThrough\n", **behind("DefinitionUri: openapi.yaml", "HttpApi")},
                "Tracing: PassThrough", files={"openapi.yaml": INTEGRATED}),
    ),
    "http-api": (
        sam({EVENT: "{ Type: HttpApi }"}, "HttpApi"),
        sam({EVENT: "{ Type: HttpApi, Properties: { Path: /x, Method: GET } }", "  Api:\n    TracingEnabled: true\n": ""}, "HttpApi"),
        sam(behind("DefinitionUri: openapi.yaml", "HttpApi"), "Defined:", files={"openapi.yaml": INTEGRATED}),
    ),
    "api-untraced": (
        sam({"    TracingEnabled: true": "    TracingEnabled: false"}, "TracingEnabled"),
        cfn({"      TracingEnabled: true\n": ""}, "  Stage:"),
        sam({"    TracingEnabled: true": "    TracingEnabled: false", **behind(f"DefinitionBody: {INCLUDED}")},
                "TracingEnabled", files={"openapi.yaml": INTEGRATED}),
    ),
    "function-untraced": (
        sam(having("Tracing: PassThrough"), "PassThrough"),
        cfn({"      TracingConfig:\n        Mode: Active\n": ""}, "  Work:"),
        sam({**having("Tracing: PassThrough"), **behind("DefinitionUri: openapi.yaml")},
                "PassThrough", files={"openapi.yaml": INTEGRATED}),
        sam(files={"template.yaml": UNTRACED.replace("Resources:", "Globals: { Api: { TracingEnabled: true } }\nResources:")
                              .replace(", Layers: [!Ref Own] }", f", Events: {{ Get: {EVENT} }} }}")}, at="  Get:"),
    ),
    "durable-steps": (
        sam(having("DurableConfig: { ExecutionTimeout: 60 }"), "DurableConfig"),
        cfn({"      Timeout: 10\n": "      Timeout: 10\n      DurableConfig: { ExecutionTimeout: 60 }\n"}, "DurableConfig"),
    ),
    "sampling-unmatched": (
        sam({"Resources:\n": "Resources:\n" + NAMED_API + sampled("shop", "AWS::ApiGateway::Stage"),
                        "Path: /,": "RestApiId: !Ref Api, Path: /,"}, "ServiceName"),
        cfn({"Resources:\n": "Resources:\n" + sampled("'*'", "AWS::ApiGateway::RestApi")}, "ServiceType"),
    ),
    "sampling-ignored": (
        sam({"Resources:\n": "Resources:\n" + sampled("'*'", "AWS::Lambda::Function")}, "ServiceType"),
        cfn({"Resources:\n": "Resources:\n" + taking_all("First", 1) + taking_all("Second", 2)}, "Priority: 2"),
    ),
    "region-without-xray": (
        sam({f"      - {ADOT}\n      - {COLLECTOR}\n": "      - !Ref Own\n", "Resources:\n":
                        "Resources:\n  Own: { Type: AWS::Serverless::LayerVersion }\n"}, "Tracing: Active", region="us-isof-south-1"),
        cfn({f"        - {ADOT_US}\n        - {COLLECTOR_US}\n": "        - !ImportValue Layer\n"}, "Mode: Active",
                region="eu-isoe-west-1"),
    ),
    "role-without-xray": (
        sam({**having("Role: !GetAtt Role.Arn"), "Resources:\n":
                        "Resources:\n  Role: { Type: AWS::IAM::Role, Properties: { Policies: [{ PolicyDocument: { Statement: [{ Effect: Allow, "
                        "Action: 'xray:PutTraceSegments' }] } }] } }\n"}, "Role: !GetAtt"),
        cfn({POLICY: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}, "Role: !GetAtt"),
    ),
    "role-without-spans": (
        sam({"http://localhost:4318/v1/traces": "https://xray.eu-west-1.amazonaws.com/v1/traces", f"      - {COLLECTOR}\n": "", URI: ""}, "  Get:"),
        cfn(OTLP, "Role: !GetAtt"),
    ),
    "handler-missing": (
        sam({"      Handler: app.handler": "      Handler: app.handlr"}, "Handler"),
        cfn({"Handler: app.handler": "Handler: app.handle"}, "Handler"),
    ),
    "memory-small": (
        sam({"MemorySize: 512": "MemorySize: 192"}, "MemorySize"),
        cfn({"      MemorySize: 512\n": ""}, "  Work:"),
    ),
    "timeout-small": (
        sam({"Timeout: 10": "Timeout: 3"}, "Timeout: 3"),
        sam({"    Timeout: 10\n": ""}, "  Get:"),
    ),
    "timeout-gateway": (
        sam({"Timeout: 10": "Timeout: 60"}, "Timeout: 60"),
        sam(having("Timeout: 30"), "Timeout: 30"),
        sam({"Timeout: 10": "Timeout: 60", **behind(f"DefinitionBody: {INCLUDED}")}, "Timeout: 60",
                files={"openapi.yaml": INTEGRATED}),
    ),
    "client-timeout": (
        sam(at="requests.get", file="src/app.py", files={"src/app.py": {", timeout=2": ""}}),
        coded("read_timeout", "from botocore.config import Config\nC = Config(read_timeout=30)\ndef handler(e, c): ...\n", "CloudFormation"),
        coded("session.get", "import requests\nWAIT = 30\nsession = requests.Session()\ndef handler(e, c):\n    return session.get('https://x', timeout=WAIT).text\n"),
        coded("self.http.post", "import requests as r\nclass A:\n    def __init__(self):\n        self.http = r.Session()\n    def go(self):\n"
                          "        self.http.post('https://x')\ndef handler(e, c): ...\n"),
        sam(adot("WAIT_S: '15'"), "requests.get", "src/app.py", {
            "src/app.py": "import os, requests\nWAIT = int(os.environ.get('WAIT_S', '2'))\ndef handler(e, c):\n    return requests.get('https://x', timeout=WAIT).text\n"}),
        coded("Config(", "import boto3\nfrom botocore.config import Config\nWAIT = 12\nC = Config(read_timeout=WAIT)\n"
                          "S3 = boto3.Session().client('s3', config=C)\ndef handler(e, c): ...\n"),
        coded("urlopen(", "from urllib.request import urlopen\ndef handler(e, c):\n    return urlopen('https://x').read()\n"),
        coded("pool.request", "import urllib3\npool = urllib3.PoolManager()\ndef handler(e, c):\n    return pool.request('GET', 'https://x').data\n"),
        coded("httpx.Client(", "import httpx\ndef handler(e, c):\n    with httpx.Client(timeout=10.0) as http:\n        return http.get('https://x').text\n"),
        sam(at="session.post", file="src/app.py", files={
            "src/app.py": "import settings\nfrom clients import session\nfrom own.waits import LONG\ndef handler(e, c):\n    session.get('https://x', timeout=settings.SHORT)\n"
                          "    return session.post('https://x', timeout=LONG).text\n",
            "src/settings.py": "import os\nSHORT = float(os.getenv('SHORT', '1.5'))\n", "src/own/waits.py": "import settings as s\nLONG = (s.SHORT, 20)\n",
            "src/clients.py": "import requests\nsession = requests.Session()\n"}),
    ),
    "client-default": (
        coded("boto3.client", "import boto3\ns3 = boto3.client('s3')\nsqs = boto3.resource('sqs')\ndef handler(e, c): ...\n"),
        coded(".resource(", "from boto3 import Session\nfrom botocore.config import Config\nsession = Session()\nMORE = Config(retries={'max_attempts': 2})\n"
                          "table = session.resource('dynamodb', config=MORE)\ndef handler(e, c): ...\n", "CloudFormation"),
        sam({"Timeout: 10": "Timeout: 60", EVENT: "{ Type: S3, Properties: { Bucket: b } }"}, "boto3.client", "src/app.py", {
            "src/app.py": "import boto3\ndef handler(e, c):\n    boto3.client('s3')\n"}),
    ),
}  # fmt: skip

# Another vendor's layer, which has the same wrapper and does not send to X-Ray.
VENDORS = {f"      - {ADOT}\n      - {COLLECTOR}\n": "      - REPLACE_WITH_LAYER_ARN\n", URI: "", ENDPOINT: "", "    Tracing: Active\n": "",
           "    TracingEnabled: true": "    TracingEnabled: false", "OTEL_PROPAGATORS: xray": "OTEL_PROPAGATORS: b3"}  # fmt: skip

NEAR: dict[str, tuple[ChangedApp, ...]] = {
    "unreadable": (sam(files={"template.yaml": SAM.replace("\n", "\r\n")}),),
    "duplicate-key": (sam({"    MemorySize: 512\n": "    MemorySize: 512\n    EphemeralStorage: { Size: 512 }\n"}),),
    "unknown-name": (sam(having("FunctionName: !Ref AWS::StackName")),),
    "condition-undecided": (sam({"    Timeout: 10\n": "    Timeout: !If [Long, 10, 9]\n", "Resources:\n":
                                           "Parameters: { Stage: { Type: String, Default: prod } }\n"
                                           "Conditions: { Long: !Equals [!Ref Stage, prod] }\nResources:\n"}),),
    "no-function": (cfn(), sam()),  # the apps, without a change
    "nothing-traced": (sam(files={"template.yaml": UNTRACED, "src/app.py": "from opentelemetry.sdk import trace\ndef handler(e, c): ...\n"}),),
    "snapstart-connection": (sam({"    Timeout: 10\n": "    Timeout: 10\n    SnapStart: { ApplyOn: PublishedVersions }\n"},
                                    files={"src/app.py": "import psycopg\ndef handler(e, c):\n    return psycopg.connect('x')\n"}),),
    "layer-region": (sam(region="eu-west-1"),),
    "layer-account": (sam({ADOT: "arn:aws:lambda:eu-central-2:156041407956:layer:AWSOpenTelemetryDistroPython:23", f"      - {COLLECTOR}\n":
                                     "", URI: "", ENDPOINT: ""}),),
    "layer-unavailable": (sam({ADOT: ADOT.replace("eu-west-1", "eu-north-1"), COLLECTOR: COLLECTOR.replace("eu-west-1", "eu-north-1")}),),
    "layer-architecture": (sam({"Architectures: [arm64]": "Architectures: [!Ref Processor]", "Resources:\n":
                                          "Parameters: { Processor: { Type: String } }\nResources:\n"}),),
    "layer-runtime": (sam({f"      - {COLLECTOR}\n": f"      - {COLLECTOR}\n      - {POWERTOOLS}313-arm64:18\n"}),),
    "layer-image": (cfn({"      Runtime: python3.13\n      Handler: app.handler\n      Code: src/\n": "      PackageType: Zip\n"
                                              "      Runtime: python3.13\n      Handler: app.handler\n      Code: src/\n"}),),
    "layer-old": (sam({ADOT: ADOT.replace(":26", ":27")}),),
    "layer-count": (cfn({"        - !Ref Kit\n": "        - !Ref Kit\n        - !Ref Kit\n        - !Ref Kit\n"}),),
    "layer-conditional": (sam({f"- {COLLECTOR}": f"- !If [T, {COLLECTOR}, !Ref AWS::NoValue]", "Resources:\n":
                                         "Parameters: { Wanted: { Type: String, Default: 'yes' } }\nConditions: { T: !Equals [!Ref Wanted, 'yes'] }\n"
                                         "Resources:\n"}),),
    "layer-size": (sam(files={".aws-sam/build/Get/collector.yaml": FILES["src/collector.yaml"], ".aws-sam/build/Get/big": 1_000_000}),),
    "layer-twice": (sam({f"      - {COLLECTOR}\n": f"      - {COLLECTOR}\n      - !Sub arn:aws:lambda:${{AWS::Region}}:464622532012:layer:"
                                   "Datadog-Extension:99\n"}),),
    "wrapper-missing": (cfn({"/opt/lambda-latency/wrapper": "/var/task/wrapper"}, files={"src/wrapper": "#!/bin/sh\n"}),),
    "wrapper-image": (cfn({**KIT_IMAGE,
                                                f"      Layers:\n        - !Ref Kit\n        - {ADOT_US}\n        - {COLLECTOR_US}\n": "",
                                                f"          {KIT_WRAPPER}": ""}),),
    "layer-not-started": (sam({WRAPPER: ""}, files={"src/app.py": "from opentelemetry.sdk.trace import TracerProvider\ndef handler(e, c): ...\n"}),),
    "no-collector": (sam({f"      - {COLLECTOR}\n": "", URI: "", "http://localhost:4318/v1/traces": "https://otlp.example.com/v1/traces"}),),
    "endpoint-ignored": (sam(adot("OTEL_AWS_LAMBDA_FAST_START: 'false'")),),
    "protocol-ignored": (sam(adot("OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf")),),
    "propagators": (sam({"OTEL_PROPAGATORS: xray": "OTEL_PROPAGATORS: xray,baggage"}),
        sam(VENDORS)),
    "variable-reserved": (sam(adot("AWS_XRAY_CONTEXT_MISSING: LOG_ERROR")),),
    "variable-unknown": (sam(adot("OTEL_PYTHON_FLASK_EXCLUDED_URLS: health")),),
    "variable-unread": (
        sam(adot("OTEL_TRACES_SAMPLER: always_off")),
        cfn(kit("OTEL_EXPORTER_OTLP_HEADERS: a=b", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: gzip", "OTEL_SERVICE_NAME: shop",
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: redis", "OTEL_METRICS_EXPORTER: none", "OTEL_PYTHON_REQUESTS_EXCLUDED_URLS: ping",
                "OTEL_AWS_APPLICATION_SIGNALS_ENABLED: 'false'")),
    ),
    "variable-value": (cfn(kit("LAMBDA_LATENCY_FLUSH_MS: '100'")),),
    "variable-misspelt": (sam(adot("OTEL_TRACES_SAMPLER: parentbased_always_on", "OTEL_LOGS_EXPORTER: file")),),
    "tracing-disabled": (sam(adot("OTEL_SDK_DISABLED: 'false'", "OTEL_METRICS_EXPORTER: none")),),
    "endpoint-path": (sam({"http://localhost:4318/v1/traces": "https://otlp.example.com/v1/traces"}),),
    "application-signals": (sam({'ENABLED: "false"': 'ENABLED: "true"'}),),
    "distro-unset": (sam({'ENABLED: "false"': 'ENABLED: "true"', "        OTEL_PYTHON_DISTRO: aws_distro\n": ""}),),
    "wrapper-replaced": (cfn(kit("LAMBDA_LATENCY_XRAY_SDK: bridge")),),
    "vpc-endpoint": (sam({"    Tracing: Active\n": "    Tracing: Active\n    VpcConfig: { SubnetIds: [s], SecurityGroupIds: [g] }\n", "Resources:\n":
                                    "Resources:\n  Xray: { Type: AWS::EC2::VPCEndpoint, Properties: { VpcId: v, ServiceName: !Sub 'com.amazonaws.${AWS::Region}.xray' } }\n"}),),
    "packages-clash": (sam(files={"src/requirements.txt": "opentelemetry-api==1.42.1\nopentelemetry-instrumentation-redis==0.60b0\n"}),),
    "packages-refused": (sam(files={"src/requirements.txt": "protobuf==6.33.5\nwrapt>=1.17\nrequests==2.32.5\n"}),),
    "packages-unknown": (sam({ADOT: ADOT.replace(":26", ":27")}),),
    "second-tracer": (sam(adot("POWERTOOLS_TRACE_DISABLED: 'true'"),
                             files={"src/app.py": "from aws_lambda_powertools import Logger, Tracer\ndef handler(e, c): ...\n"}),
        cfn(kit("LAMBDA_LATENCY_XRAY_SDK: bridge"),  # the kit's own, which is no second one
            files={"src/app.py": "from aws_xray_sdk.core import patch_all\ndef handler(e, c): ...\n"})),
    "collector-parts": (sam({"ver-0-117-0:1": "ver-0-130-0:1"},
                               files={"src/collector.yaml": {"service:\n": "processors:\n  batch:\nservice:\n"}}),),
    "collector-missing": (sam(having("CodeUri: s3://bucket/code.zip")),),
    "collector-unread": (sam({f"      - {COLLECTOR}\n": "      - !ImportValue Collector\n"}),),
    "annotation-unsearchable": (coded("", "def handler(e, span):\n    span.set_attribute('app.outcome', 1)\n"),),
    "no-upstream": (sam({"    Tracing: Active\n": "    Tracing: PassThrough\n", EVENT: "{ Type: SQS, Properties: { Queue: arn } }"}),
        sam(VENDORS)),
    "http-api": (sam({EVENT: "{ Type: S3, Properties: { Bucket: b } }"}),
        sam(behind("DefinitionUri: openapi.yaml", "HttpApi"),
                files={"openapi.yaml": INTEGRATED.replace("{Get.", "{GetAll.")})),
    "api-untraced": (sam({"    TracingEnabled: true": "    TracingEnabled: !Ref Wanted", "Resources:\n":
                                    "Parameters: { Wanted: { Type: String } }\nResources:\n"}),
        sam(behind(f"DefinitionBody: {INCLUDED}"), files={"openapi.yaml": INTEGRATED})),
    "function-untraced": (cfn(),
        sam({**having("Tracing: PassThrough"), **behind("DefinitionUri: openapi.yaml")},
                files={"openapi.yaml": INTEGRATED.replace("{Get.", "{Other.")})),
    "durable-steps": (
        sam({"    Timeout: 10\n": "    Timeout: 10\n    DurableConfig: { ExecutionTimeout: 60 }\n", URI: f"        DURABLE_EXECUTION_PLUGINS: otel-execution\n{URI}"}),
    ),
    "sampling-unmatched": (sam({"Resources:\n": "Resources:\n" + NAMED_API + sampled("shop/*", "AWS::ApiGateway::Stage"),
                                          "Path: /,": "RestApiId: !Ref Api, Path: /,"}),),
    "sampling-ignored": (cfn({"Resources:\n": "Resources:\n" + taking_all("Last", 9000)}),),
    "region-without-xray": (sam({ADOT: "!Sub arn:aws:lambda:${AWS::Region}:156041407956:layer:AWSOpenTelemetryDistroPython:23",
                                           f"      - {COLLECTOR}\n": "", URI: "", ENDPOINT: ""}, region="eu-central-2"),),
    "role-without-xray": (cfn({POLICY: "!ImportValue Policy"}),
        sam({**VENDORS, **having("Role: !GetAtt Role.Arn"), "Resources:\n":
                        "Resources:\n  Role: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: {} } }\n"})),
    "role-without-spans": (cfn({**OTLP, POLICY: "arn:aws:iam::aws:policy/AWSXrayFullAccess"}),),
    "handler-missing": (cfn({"Handler: app.handler": "Handler: shared.handler"}),),
    "memory-small": (sam({"MemorySize: 512": "MemorySize: 256"}),),
    "timeout-small": (cfn({"Timeout: 10": "Timeout: 3"}),),
    "timeout-gateway": (sam({"Timeout: 10": "Timeout: 60", EVENT: "{ Type: Api, Properties: { Path: /, Method: GET, TimeoutInMillis: 60000 } }"}),
        sam({"Timeout: 10": "Timeout: 60", **behind("DefinitionUri: openapi.yaml")},
                files={"openapi.yaml": INTEGRATED + "        timeoutInMillis: 90000\n"})),
    "client-timeout": (sam(files={"src/app.py": "import httpx\ndef handler(e, c):\n    return httpx.get('https://x')\n",
                                            "src/other.py": "import requests\nrequests.get('https://x')\n"}),
        coded("", "import requests\nWAIT = 3\nsession = requests.Session()\ndef handler(e, c, timeout=30):\n"
                                            "    session.get('https://x', timeout=timeout)\n    return session.get('https://x', timeout=WAIT).text\n"),
        coded("", "import requests\nfrom own import Patient\nsession = requests.Session()\nsession.mount('https://', Patient(3))\n"
                                            "def handler(e, c):\n    return session.get('https://x').text\n"),
        coded("", "import socket, urllib.request\nsocket.setdefaulttimeout(3)\ndef handler(e, c):\n"
                                            "    return urllib.request.urlopen('https://x').read()\n"),
        coded("", "import urllib3, urllib.request as u\npool = urllib3.PoolManager(timeout=2)\ndef handler(e, c):\n"
                                            "    u.urlopen('https://x', None, 2)\n    return pool.request('GET', 'https://x').data\n")),
    "client-default": (
        coded("", "import boto3\nfrom botocore.config import Config\nFAST = Config(read_timeout=3, connect_timeout=1)\n"
                                            "s3 = boto3.client('s3', config=FAST)\ndef handler(e, c): ...\n"),
        sam({"Timeout: 10": "Timeout: 61", EVENT: "{ Type: S3, Properties: { Bucket: b } }"}, files={
            "src/app.py": "import boto3\ns3 = boto3.client('s3')\ndef handler(e, c): ...\n"}),
        coded("", "import boto3\nfrom own import fast\ns3 = boto3.client('s3', config=fast)\n"
                                            "sqs = boto3.client('sqs', **fast)\ndef handler(e, c): ...\n"),
    ),
}  # fmt: skip
