"""The parts that make an app ready, one by one: parameters, packaging, functions, pruning, messages."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.apps import VERSION
from lambda_latency.local.app.read.apis import leads
from lambda_latency.local.app.read.app import read_app
from lambda_latency.local.app.read.decided import pruned, unknown_to
from lambda_latency.local.app.read.declared import Declared, Refused, declared_functions
from lambda_latency.local.app.read.inclusion import Packaged, package
from lambda_latency.local.app.read.parameters import parameter_values
from lambda_latency.local.app.read.source import SamFile, find_template, read_source
from lambda_latency.local.app.triggers.relayed import origin
from lambda_latency.pythons import nearest_python, version_of
from tests.local.app.conftest import needs_packages, up

HEADER = "Root=1-6b05a667-affeb9dbb0aa7f2b5d5ab5f9;Parent=53995c3f42cd8ad8;Sampled=1"


def source(folder: Path, text: str) -> SamFile:
    """A template in a file."""
    path = folder / "template.yaml"
    path.write_text(text)
    return read_source(path)


@pytest.mark.parametrize(
    ("runtime", "version"), [("python3.12", (3, 12)), ("python2.7", None), ("nodejs22.x", None), ("provided", None)]
)
def test_a_runtime_has_a_version_if_it_is_python_3(runtime: str, version: object) -> None:
    """Any other cannot run here."""
    assert version_of(runtime) == version


@pytest.mark.parametrize(
    ("requested", "nearest"), [((3, 8), (3, 10)), ((3, 11), (3, 12)), ((3, 12), (3, 12)), ((3, 14), (3, 13))]
)
def test_the_nearest_python_is_the_next_newer_one(requested: tuple[int, int], nearest: tuple[int, int]) -> None:
    """Where there is none, the newest."""
    pythons = {version: Path("python") for version in ((3, 10), (3, 12), (3, 13))}
    assert nearest_python(requested, pythons) == nearest


def test_a_parameter_is_given_or_of_samconfig_or_by_default_or_stands_in(tmp_path: Path) -> None:
    """In this order; what stands in fits its declaration, and is told."""
    (tmp_path / "samconfig.toml").write_text(
        '[default.deploy.parameters]\nparameter_overrides = "Given=file Configured=file Unknown=1"\n'
    )
    read = source(
        tmp_path,
        """\
Parameters:
  Given: { Type: String, Default: template }
  Configured: { Type: String, Default: template }
  Defaulted: { Type: Number, Default: 5 }
  Choice: { Type: String, AllowedValues: [one, two] }
  Count: { Type: Number, MinValue: 3 }
  AdminEmail: { Type: String, AllowedPattern: "[^@]+@[^@]+" }
  SecurityGroup: { Type: String, AllowedPattern: '\\p{Print}+' }
  Stored: { Type: "AWS::SSM::Parameter::Value<String>", Default: /a/b }
Resources:
  Topic: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Sub "${Choice}${Count}${AdminEmail}${Stored}" } }
  Next: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Ref SecurityGroup } }
""",
    )
    values, notes = parameter_values(read, {"Given": "line"}, tmp_path)
    assert values == {
        "Given": "line",
        "Configured": "file",
        "Defaulted": "5",
        "Choice": "one",
        "Count": "3",
        "AdminEmail": "me@example.com",
        "SecurityGroup": "local",
        "Stored": "local",
    }
    assert [note.partition(":")[0] for note in notes] == [
        "parameter Choice has no Default",
        "parameter Count has no Default",
        "parameter AdminEmail has no Default",
        "parameter SecurityGroup has no Default",
        "parameter Stored is in Parameter Store, which is not read",
    ]


@pytest.mark.parametrize(
    ("environment", "value", "environments"), [("default", "1", []), ("develop", "1", ["'develop'"])], ids=str
)
def test_parameters_are_those_of_the_default_environment_or_the_first(
    tmp_path: Path, environment: str, value: str, environments: list[str]
) -> None:
    """Which one is told if it is not `default`; a value may be in quotes, as `sam deploy --guided` writes it."""
    (tmp_path / "samconfig.toml").write_text(
        f"""\
version = 0.1
[{environment}.deploy.parameters]
parameter_overrides = "Given=\\"{value}\\" Elsewhere=2"
[prod.deploy.parameters]
parameter_overrides = ["Given=3"]
"""
    )
    read = source(
        tmp_path, "Parameters: { Given: { Type: Number } }\nResources: { Topic: { Type: AWS::SNS::Topic } }\n"
    )
    values, notes = parameter_values(read, {}, tmp_path)
    assert (values, [note.rpartition(" ")[2] for note in notes]) == ({"Given": value}, environments)


@pytest.mark.parametrize(
    "written",
    [
        "global = 1\ndeploy = 'x'",
        "[default.deploy]\nparameters = 1",
        "[default.deploy.parameters]\nparameter_overrides = 1",
        "[default.deploy.parameters]\nparameter_overrides = 'Given=\"x'",
    ],
)
def test_what_samconfig_has_in_another_form_is_no_parameter(tmp_path: Path, written: str) -> None:
    """The SAM CLI says what is wrong there."""
    (tmp_path / "samconfig.toml").write_text(f"{'' if written.startswith('[') else '[default]'}\n{written}\n")
    read = source(tmp_path, "Parameters: { Given: { Default: 1 } }\nResources: { T: { Type: AWS::SNS::Topic } }\n")
    assert parameter_values(read, {}, tmp_path) == ({"Given": "1"}, [])


def test_a_boolean_is_text_where_cloudformation_has_text(tmp_path: Path) -> None:
    """Allowed values, operands of a comparison, variables, parts of a joined text, and parameters of a nested
    template.
    """
    flag = "Parameters: { Flag: { Type: String, AllowedValues: [true, false] } }"
    (tmp_path / "child.yaml").write_text(f"{flag}\nResources: {{ T: {{ Type: AWS::SNS::Topic }} }}")
    path = tmp_path / "template.yaml"
    path.write_text(
        """\
Transform: AWS::Serverless-2016-10-31
Parameters: { Flag: { Type: String, Default: true, AllowedValues: [true, false] } }
Conditions: { IsOn: !Equals [!Ref Flag, true] }
Resources:
  Child: { Type: AWS::Serverless::Application, Properties: { Location: child.yaml, Parameters: { Flag: true } } }
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): ..."
      Environment:
        Variables: { LOUD: true, NAME: !Join ["-", [a, true, !Ref Flag]], IS_ON: !If [IsOn, "yes", "no"] }
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties: { Definition: { StartAt: A, States: { A: { Type: Pass, Parameters: { Loud: true }, End: true } } } }
"""
    )
    read = read_app(path, {})
    plain = read.part.plain
    assert plain["Parameters"]["Flag"] == {"Type": "String", "Default": "true", "AllowedValues": ["true", "false"]}
    variables = {"LOUD": "true", "NAME": "a-true-true", "IS_ON": "yes"}
    assert plain["Resources"]["Work"]["Properties"]["Environment"]["Variables"] == variables
    assert plain["Resources"]["Child"]["Properties"]["Parameters"] == {"Flag": "true"}
    assert read.part.children["Child"].plain["Parameters"]["Flag"]["Default"] == "true"
    definition = plain["Resources"]["Machine"]["Properties"]["DefinitionString"]
    assert json.loads(definition)["States"]["A"]["Parameters"] == {"Loud": True}


def test_what_only_an_account_knows_is_replaced_and_told(tmp_path: Path) -> None:
    """Exports and dynamic references; a version that YAML takes for a number is a text."""
    read = source(
        tmp_path,
        """\
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth: { Authorizers: { Mine: { AuthorizerPayloadFormatVersion: 2.0 } } }
      Description: !ImportValue other-name
      Name: "{{resolve:ssm:/shop/EventBusName}}"
""",
    )
    done = package(read, {})
    properties = done.raw["Resources"]["Api"]["Properties"]
    version = properties["Auth"]["Authorizers"]["Mine"]["AuthorizerPayloadFormatVersion"]
    assert (version, properties["Description"], properties["Name"]) == ("2.0", "other-name", "default")
    assert done.notes == [
        "{{resolve:ssm:/shop/EventBusName}} is not available locally: its value is 'default'",
        "1 values are exported by other stacks: the value of each is the name of its export",
    ]


def test_an_image_that_is_yet_to_be_built_leaves_the_other_functions_alone(tmp_path: Path) -> None:
    """Its ImageUri is `sam build`'s to write: the template has none."""
    path = tmp_path / "template.yaml"
    path.write_text(
        """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Picture:
    Type: AWS::Serverless::Function
    Metadata: { Dockerfile: Dockerfile, DockerContext: . }
    Properties: { PackageType: Image, Events: { Get: { Type: Api, Properties: { Path: /, Method: get } } } }
  Text:
    Type: AWS::Serverless::Function
    Properties: { Runtime: python3.12, Handler: index.handler, InlineCode: "def handler(event, context): ..." }
"""
    )
    functions = read_app(path, {}).functions
    assert functions["Picture"] == Refused("Picture", "Picture", "it is a container image")
    assert isinstance(functions["Text"], Declared)


def test_functions_that_cannot_run_are_refused_one_by_one() -> None:
    """With why; the others are as they were declared."""
    inline = {"Code": {"ZipFile": "def handler(event, context): ..."}, "Handler": "index.handler"}
    functions: dict[str, Any] = {
        "Runs": {**inline, "Runtime": "python3.12", "Timeout": 7},
        "Node": {**inline, "Runtime": "nodejs22.x"},
        "Image": {"PackageType": "Image", "Code": {"ImageUri": "picture"}},
        "Away": {"Runtime": "python3.12", "Handler": "a.b", "Code": {"S3Bucket": "b", "S3Key": "k"}},
        "Server": {
            **inline,
            "Runtime": "python3.12",
            "Handler": "run.sh",
            "Layers": [{"Fn::Sub": "arn:aws:lambda:${AWS::Region}:753240598075:layer:LambdaAdapterLayerX86:25"}],
            "Environment": {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"}},
        },
    }
    plain = {
        "Resources": {name: {"Type": "AWS::Lambda::Function", "Properties": props} for name, props in functions.items()}
    }
    runs, *refused = declared_functions(plain, Packaged({}), "Child/")
    assert isinstance(runs, Declared)
    assert (runs.key, runs.name, runs.version, runs.timeout_s) == ("Child/Runs", "Child-Runs", (3, 12), 7)
    assert [refusal.why for refusal in refused if isinstance(refusal, Refused)] == [
        "its runtime is nodejs22.x, and only Python 3 runs here",
        "it is a container image",
        "its code is in an account's S3, and not beside the template",
        "run.sh starts a web server behind Lambda Web Adapter, which does not run here; start the web server by itself",
    ]


def test_who_refers_to_a_resource_that_is_left_out_gets_a_text() -> None:
    """Ref, GetAtt and Sub; dependencies on it go."""
    plain = {
        "Resources": {
            "Group": {"Type": "AWS::XRay::Group"},
            "Topic": {
                "Type": "AWS::SNS::Topic",
                "DependsOn": ["Group"],
                "Properties": {
                    "A": {"Ref": "Group"},
                    "B": {"Fn::GetAtt": ["Group", "GroupARN"]},
                    "C": {"Fn::Sub": "${Group} ${Topic}"},
                    "D": {"Fn::Sub": ["${Group.Arn}", {"Group.Arn": "x"}]},
                },
            },
        }
    }
    gone = unknown_to({"AWS::SNS::Topic"}, plain)
    assert gone == {"Group": "AWS::XRay::Group"}
    assert pruned(plain, gone)["Resources"] == {
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "A": "Group",
                "B": "Group",
                "C": {"Fn::Sub": "Group ${Topic}"},
                "D": {"Fn::Sub": ["${Group.Arn}", {"Group.Arn": "x"}]},
            },
        }
    }


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"Records": [{"eventSource": "aws:sqs"}]}, "SQS"),
        ({"Records": [{"EventSource": "aws:sns"}]}, "SNS"),
        ({"detail-type": "Scheduled Event"}, "schedule"),
        ({"detail-type": "x"}, "EventBridge"),
        ({"RequestType": "Create", "ResponseURL": "http://x"}, "CloudFormation"),
        ({"a": 1}, "event"),
        ([1], "event"),
    ],
)
def test_an_event_tells_who_sent_it(event: object, name: str) -> None:
    """In the word that serve prints."""
    assert origin(json.dumps(event).encode()) == name


def test_a_key_that_stands_twice_with_the_same_value_is_told(tmp_path: Path) -> None:
    """SAM deploys such a template."""
    path = tmp_path / "template.yaml"
    path.write_text("Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Type: AWS::SNS::Topic\n")
    assert read_app(path, {}).notes == [f"{path}:4: 'Type' is defined twice with the same value"]


def test_a_template_with_another_usual_name_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where template.yaml is not there; a name that was given is taken as it is."""
    monkeypatch.chdir(tmp_path)
    Path("template.yml").write_text("Resources: {}")
    assert (find_template(Path("template.yaml")), find_template(Path("x.yaml"))) == (
        Path("template.yml"),
        Path("x.yaml"),
    )


def test_a_folder_stands_for_its_template(tmp_path: Path) -> None:
    """As for `adopt` and `doctor`; one without a template is told."""
    (tmp_path / "sam.yaml").touch()
    assert find_template(tmp_path) == tmp_path / "sam.yaml"
    (tmp_path / "empty").mkdir()
    assert find_template(tmp_path / "empty") == tmp_path / "empty"


def test_a_service_that_no_route_can_call_here_is_told(tmp_path: Path) -> None:
    """Of an HTTP API and of a REST API, by definition and by resources; one that is served is not."""
    path = tmp_path / "template.yaml"
    path.write_text(
        """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue: { Type: AWS::SQS::Queue }
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        openapi: 3.0.1
        info: { title: messages, version: "1" }
        paths:
          /messages:
            post:
              x-amazon-apigateway-integration:
                type: aws_proxy
                integrationSubtype: SQS-SendMessage
                payloadFormatVersion: "1.0"
                requestParameters: { QueueUrl: !Ref Queue, MessageBody: $request.body }
              responses: { default: { description: sent } }
          /settings:
            get:
              x-amazon-apigateway-integration:
                { type: aws_proxy, integrationSubtype: AppConfig-GetConfiguration, payloadFormatVersion: "1.0" }
              responses: { default: { description: found } }
  Runs:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { ApiId: !Ref Http, IntegrationType: AWS_PROXY, IntegrationSubtype: StepFunctions-StartExecution }
  RunsRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Http, RouteKey: $default, Target: !Join [/, [integrations, !Ref Runs]] }
  Rest: { Type: AWS::ApiGateway::RestApi }
  Things:
    Type: AWS::ApiGateway::Resource
    Properties: { RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: things }
  Thing:
    Type: AWS::ApiGateway::Resource
    Properties: { RestApiId: !Ref Rest, ParentId: !Ref Things, PathPart: "{id}" }
  GetThing:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Thing
      HttpMethod: GET
      Integration: { Type: AWS, Uri: !Join ["", ["arn:aws:apigateway:", !Ref AWS::Region, ":ses:action/SendEmail"]] }
  PostThing:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Thing
      HttpMethod: POST
      Integration:
        Type: AWS
        Uri: !Sub "arn:aws:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/${Queue.QueueName}"
        RequestTemplates: { application/json: "Action=SendMessage&MessageBody=$util.shout($input.body)" }
  PutThing:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Thing
      HttpMethod: PUT
      Integration: { Type: AWS, Uri: !Sub "arn:aws:apigateway:${AWS::Region}:dynamodb:action/PutItem" }
"""
    )
    app = read_app(path, {})
    assert [note for note in app.notes if "is not served" in note] == [
        "GET /things/{id} is not served here: API Gateway calls ses (SendEmail) without a function",
        "POST /things/{id} is not served here: its mapping template has $util.shout, which is not evaluated",
        "GET /settings is not served here: API Gateway calls AppConfig-GetConfiguration without a function",
    ]
    assert {api.key: [*api.routes] for api in app.apis} == {
        "Http": ["ANY $default", "POST /messages", "GET /settings"],
        "Rest": ["GET /things/{id}", "POST /things/{id}", "PUT /things/{id}"],
    }


@pytest.mark.parametrize(
    ("route", "method", "path", "is_for_it"),
    [
        ("POST /things/{id}", "POST", "/things/1", True),
        ("POST /things/{id}", "GET", "/things/1", False),
        ("POST /things/{id}", "POST", "/things/1/2", False),
        ("ANY /things/{rest+}", "PUT", "/things/1/2", True),
        ("ANY $default", "PUT", "/", True),
    ],
)
def test_a_route_matches_its_requests(route: str, method: str, path: str, is_for_it: bool) -> None:
    """By method and path, with parameters."""
    assert leads(route, method, path) == is_for_it


def test_a_nested_app_that_is_yet_to_be_built_is_read_from_its_source(tmp_path: Path) -> None:
    """Its Location is what `sam build` would write; that is told."""
    (tmp_path / "child").mkdir()
    (tmp_path / "child" / "template.yml").write_text("Resources: { Queue: { Type: AWS::SQS::Queue } }\n")
    path = tmp_path / "template.yaml"
    child = "{ Type: AWS::Serverless::Application, Properties: { Location: ./child/.aws-sam/build/template.yaml } }"
    path.write_text(f"Transform: AWS::Serverless-2016-10-31\nResources: {{ Child: {child} }}\n")
    app = read_app(path, {})
    assert list(app.part.children["Child"].plain["Resources"]) == ["Queue"]
    assert app.notes == [f"Child is not built yet: it is read from {tmp_path}/child/template.yml"]


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
    assert {key: function.memory_mb for key, function in app.functions.items() if isinstance(function, Declared)} == {
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
