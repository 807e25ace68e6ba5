"""What an app uses that differs on this machine: one block at start, one table."""

import subprocess
import sys
from pathlib import Path

from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.read.differing import differing
from lambda_latency.local.app.serve.session import DifferenceNotes

EVENTS = """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12, Handler: index.handler } }
Resources:
  Http: { Type: AWS::Serverless::HttpApi, Properties: { Auth: { EnableIamAuthorizer: true } } }
  Function:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Events:
        Iam: { Type: Api, Properties: { Path: /iam, Method: get, Auth: { Authorizer: AWS_IAM } } }
        Signed:
          Type: HttpApi
          Properties: { ApiId: !Ref Http, Path: /signed, Method: get, Auth: { Authorizer: AWS_IAM } }
"""
ELSEWHERE = """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12, Handler: index.handler } }
Resources:
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      MethodSettings: [{ HttpMethod: "*", ResourcePath: /*, ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1 }]
      Auth:
        Authorizers:
          Pool: { UserPoolArn: "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_other" }
          Guard: { FunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:other" }
          Own: { FunctionArn: !GetAtt Function.Arn }
  Function:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Events:
        Get: { Type: Api, Properties: { RestApiId: !Ref Rest, Path: /, Method: get, Auth: { Authorizer: Pool } } }
"""
FUNCTION = """
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
"""
ALWAYS = [
    "times are those of this machine, and so are cold starts and waits for a free environment",
    "no policy is checked: every function may do everything",
    "Function: MemorySize is not enforced, and does not change the processor's speed",
    "the code's folder can be written",
]
CONCURRENCY = "reserved and provisioned concurrency and SnapStart do nothing; at most 8 environments run at once"
MORE = f"""\
Transform: AWS::Serverless-2016-10-31
Globals: {{ Function: {{ Runtime: python3.12, Handler: index.handler }} }}
Resources:
  Inside:{FUNCTION}      VpcConfig: {{ SubnetIds: [a], SecurityGroupIds: [b] }}
  Reserved:{FUNCTION}      ReservedConcurrentExecutions: 1
  Kept:{FUNCTION}      AutoPublishAlias: live
      ProvisionedConcurrencyConfig: {{ ProvisionedConcurrentExecutions: 1 }}
  Snapped:{FUNCTION}      SnapStart: {{ ApplyOn: PublishedVersions }}
  Signed:{FUNCTION}      FunctionUrlConfig: {{ AuthType: AWS_IAM }}
  Open:{FUNCTION}      FunctionUrlConfig: {{ AuthType: NONE }}
  Tenants:{FUNCTION}      TenancyConfig: {{ TenantIsolationMode: PER_TENANT }}
  Table: {{ Type: AWS::DynamoDB::Table, Properties: {{ KinesisStreamSpecification: {{ StreamArn: arn }} }} }}
  Plan: {{ Type: AWS::ApiGateway::UsagePlan }}
  Domain: {{ Type: AWS::ApiGateway::DomainName }}
  Refused: {{ Type: AWS::ApiGateway::GatewayResponse, Properties: {{ ResponseType: DEFAULT_4XX, RestApiId: a }} }}
"""


def lines(text: str, folder: Path) -> list[str]:
    path = folder / "template.yaml"
    path.write_text(text)
    return differing(read_app(path, {}))


def test_an_app_is_told_what_differs_for_it(tmp_path: Path) -> None:
    """Signatures by route; what every app has stands first."""
    assert lines(EVENTS, tmp_path) == [
        *ALWAYS,
        "GET /iam, GET /signed: a request needs a signature, but it is not verified",
    ]


def test_what_another_stack_has_is_told(tmp_path: Path) -> None:
    """An authorizer's function and a user pool; an authorizer of the app is none of them. A stage does not throttle."""
    assert lines(ELSEWHERE, tmp_path)[4:] == [
        "RestProdStage: the stage does not throttle requests",
        "RestAuthorizerGuard: the authorizer's function is in another stack: each request with a token is allowed",
        "RestAuthorizerPool: the user pool is in another stack: an empty one of this machine verifies tokens",
    ]


def test_what_was_not_created_has_no_line(tmp_path: Path) -> None:
    """What the start has left out differs in nothing else."""
    path = tmp_path / "template.yaml"
    path.write_text(ELSEWHERE)
    assert differing(read_app(path, {}), {"Function", "RestProdStage", "RestAuthorizerGuard"}) == [
        "RestAuthorizerPool: the user pool is in another stack: an empty one of this machine verifies tokens"
    ]


def test_resources_without_effect_are_named(tmp_path: Path) -> None:
    """In the order of the table."""
    assert lines(MORE, tmp_path)[2:] == [
        ALWAYS[2].replace("Function", "Inside, Reserved, Kept, Snapped and 3 more"),
        "the code's folder can be written",
        "the URL of Signed: a request needs a signature, but it is not verified",
        "Domain: does nothing here: AWS::ApiGateway::DomainName",
        "Inside: the network is that of this machine, without the VPC's routes and security groups",
        f"Reserved, KeptAliaslive, Snapped: {CONCURRENCY}",
        "Table: changes of the table do not go to its Kinesis stream",
        "Tenants: environments are not kept apart by tenant, and context.tenant_id is empty",
    ]


def test_the_lines_of_the_start_are_one_block(tmp_path: Path) -> None:
    """What is told while an app starts waits for the block, unless it is progress; later it is told at once. Lines that
    differ only in their functions are one line.
    """
    path = tmp_path / "template.yaml"
    path.write_text(EVENTS)
    shown: list[str] = []
    gathered = DifferenceNotes(read_app(path, {}), shown.append)
    refused, layer = (
        "Work does not run here: it is a container image",
        "F: the layer arn exists only on AWS and is left out",
    )
    others = [layer.replace("F", name, 1) for name in ("G", "H", "I", "J")]
    for line in (layer, "installing packages, which may take a minute", refused, *others):
        gathered(line)
    block = gathered.end()
    assert shown == ["installing packages, which may take a minute"]
    assert [line.partition(";")[0] for line in block][-2:] == [refused, layer.replace("F", "F, G, H, I and 1 more", 1)]
    gathered(refused)
    assert shown[1:] == [refused]


def test_the_differences_are_printed_as_a_table_with_sources(tmp_path: Path) -> None:
    """Without a start, with the notes of the template."""
    path = tmp_path / "template.yaml"
    path.write_text(f"{EVENTS}  Work:{FUNCTION}      Runtime: nodejs22.x\n")
    command = [sys.executable, "-m", "lambda_latency", "serve", "--differences", "--template", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [line.split(" | ") for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert rows[:2] == [["| this machine", "what to do", "on AWS |"], ["|---|---|---|"]]
    assert [row[0] for row in rows[2:]] == [
        f"| {line}"
        for line in [
            *lines(path.read_text(), tmp_path),
            "Work does not run here: its runtime is nodejs22.x, and only Python 3 runs here",
        ]
    ]
    assert all(row[2].startswith("https://docs.aws.amazon.com/") for row in rows[2:])
