"""Templates as other people write them: read without a failure, with a line where something is not served."""

import json
from pathlib import Path

import pytest

from lambda_latency.local.app.read.app import LocalApp, read_app
from lambda_latency.local.app.read.bodies import expanded
from lambda_latency.local.app.read.decided import unknown_to
from lambda_latency.local.app.read.declared import Declared, Refused
from lambda_latency.local.app.read.source import TemplateError
from lambda_latency.local.errors import LocalError

PYTHON = "Runtime: python3.12, Handler: index.handler, InlineCode: 'def handler(event, context): ...'"

URI = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Work.Arn}/invocations"


def app(folder: Path, text: str) -> LocalApp:
    """An app with this template."""
    path = folder / "template.yaml"
    path.write_text(text)
    return read_app(path, {})


def routes(read: LocalApp) -> list[str]:
    """The routes of all its APIs."""
    return [route for api in read.apis for route in api.shown()]


def functions(read: LocalApp) -> dict[str, dict[str, str]]:
    """The functions of the routes of each API."""
    return {api.key: {name: route.function for name, route in api.routes.items()} for api in read.apis}


def test_a_path_without_its_first_slash_gets_it(tmp_path: Path) -> None:
    """In events and in definitions; `$default` and what is no path stay."""
    read = app(
        tmp_path,
        """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      DefinitionBody:
        openapi: "3.0.1"
        paths:
          x-note: {}
          "{proxy+}":
            post:
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri:
                  Fn::Sub: arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Work.Arn}/invocations
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): ..."
      Events:
        Mine: { Type: Api, Properties: { Path: hello, Method: get, RestApiId: !Ref Rest } }
        Own: { Type: HttpApi, Properties: { Path: items, Method: get } }
        Rest: { Type: HttpApi, Properties: { Path: /$default, Method: any } }
        Hourly: { Type: Schedule, Properties: { Schedule: rate(1 hour) } }
""",
    )
    assert sorted(routes(read)) == ["ANY $default", "GET /items", "POST /{proxy+}"]


def test_a_web_socket_api_is_named_and_the_other_apis_are_served(tmp_path: Path) -> None:
    """Its routes have no path, which samcli takes for an error of the whole template."""
    read = app(
        tmp_path,
        f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Chat: {{ Type: AWS::ApiGatewayV2::Api, Properties: {{ Name: chat, ProtocolType: WEBSOCKET }} }}
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: {{ ApiId: !Ref Chat, RouteKey: $connect, Target: !Sub "integrations/${{Integration}}" }}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Chat
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub {URI}
  Work:
    Type: AWS::Serverless::Function
    Properties: {{ {PYTHON}, Events: {{ Get: {{ Type: Api, Properties: {{ Path: /get, Method: get }} }} }} }}
""",
    )
    assert routes(read) == ["GET /get"]
    assert read.notes == [
        "Chat is a WebSocket API, which is not served here; lambda-latency invoke calls its functions"
    ]


def test_an_application_of_the_repository_is_left_out(tmp_path: Path) -> None:
    """It exists only on AWS, where the translator would look it up; functions that use its layer run."""
    read = app(
        tmp_path,
        f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Shared:
    Type: AWS::Serverless::Application
    Properties:
      Location: {{ ApplicationId: "arn:aws:serverlessrepo:eu-west-1:1:applications/x", SemanticVersion: 1.0.0 }}
  Work:
    Type: AWS::Serverless::Function
    Properties: {{ {PYTHON}, Layers: [!GetAtt Shared.Outputs.LayerVersionArn] }}
""",
    )
    assert isinstance(read.functions["Work"], Declared)
    assert unknown_to({"AWS::Lambda::Function", "AWS::IAM::Role"}, read.part.plain) == {
        "Shared": "AWS::ServerlessRepo::Application"
    }


def test_a_pipe_that_the_emulator_does_not_deliver_is_named(tmp_path: Path) -> None:
    """It delivers from a table's stream to topics and state machines."""
    read = app(
        tmp_path,
        """\
Resources:
  Queue: { Type: AWS::SQS::Queue }
  Topic: { Type: AWS::SNS::Topic }
  Table: { Type: AWS::DynamoDB::Table }
  Idle: { Type: AWS::Pipes::Pipe, Properties: { Source: !GetAtt Queue.Arn, Target: !Ref Topic } }
  Runs: { Type: AWS::Pipes::Pipe, Properties: { Source: !GetAtt Table.StreamArn, Target: !Ref Topic } }
  Away: { Type: AWS::Pipes::Pipe, Properties: { Source: !GetAtt Table.StreamArn, Target: !GetAtt Queue.Arn } }
""",
    )
    assert read.notes == [
        f"{name} is a pipe, which delivers nothing here; lambda-latency invoke calls its functions"
        for name in ("Idle", "Away")
    ]


def test_a_nested_template_gets_the_values_of_the_outer_one(tmp_path: Path) -> None:
    """No line says that a parameter has no value if the outer template passes one, or the emulator will."""
    (tmp_path / "child.yaml").write_text(
        f"""\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Seconds: {{ Type: Number }}
  Arn: {{ Type: String }}
  Word: {{ Type: String }}
  Own: {{ Type: String }}
Resources:
  Work: {{ Type: AWS::Serverless::Function, Properties: {{ {PYTHON}, Timeout: !Ref Seconds }} }}
  Topic: {{ Type: AWS::SNS::Topic, Properties: {{ DisplayName: !Ref Own }} }}
"""
    )
    read = app(
        tmp_path,
        """\
Transform: AWS::Serverless-2016-10-31
Parameters: { Seconds: { Type: Number, Default: 17 } }
Resources:
  Topic: { Type: AWS::SNS::Topic }
  Child:
    Type: AWS::Serverless::Application
    Properties:
      Location: child.yaml
      Parameters: { Seconds: !Ref Seconds, Arn: !GetAtt Topic.TopicArn, Word: said, Unknown: 1 }
""",
    )
    work = read.functions["Child/Work"]
    assert isinstance(work, Declared)
    assert work.timeout_s == 17
    assert read.notes == ["parameter Own has no Default: its value is 'local' (--parameter Own=VALUE)"]


def test_values_of_functions_may_come_from_parameters_and_mappings(tmp_path: Path) -> None:
    """The sandbox needs them before the emulator has resolved anything."""
    read = app(
        tmp_path,
        """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: { Type: String, Default: dev }
  Seconds: { Type: Number, Default: 17 }
  Powertools: { Type: String, Default: "arn:aws:lambda:us-east-1:1:layer:Known:2" }
Mappings: { Of: { dev: { Python: python3.11, Memory: 512 } } }
Resources:
  Work:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "${AWS::StackName}-${Stage}"
      Runtime: !FindInMap [Of, !Ref Stage, Python]
      MemorySize: !FindInMap [Of, !Ref Stage, Memory]
      Timeout: !Ref Seconds
      Handler: !Join [".", [index, handler]]
      Layers: [!Ref Powertools]
      InlineCode: "def handler(event, context): ..."
""",
    )
    assert read.functions["Work"] == Declared(
        key="Work",
        name=f"{read.name}-dev",
        version=(3, 11),
        handler="index.handler",
        timeout_s=17,
        memory_mb=512,
        code=None,
        inline="def handler(event, context): ...",
        layers=(),
        arns=("arn:aws:lambda:us-east-1:1:layer:Known:2",),
        url="",
    )


@pytest.mark.parametrize("runtime", ["java21", "provided.al2023"])
def test_a_build_of_another_language_may_be_missing(tmp_path: Path, runtime: str) -> None:
    """Its function does not run here, and the Python functions do."""
    read = app(
        tmp_path,
        f"""\
Transform: AWS::Serverless-2016-10-31
Globals: {{ Function: {{ Runtime: {runtime} }} }}
Resources:
  Built: {{ Type: AWS::Serverless::Function, Properties: {{ CodeUri: target/app.jar, Handler: example.App }} }}
  Work: {{ Type: AWS::Serverless::Function, Properties: {{ {PYTHON} }} }}
""",
    )
    why = f"its runtime is {runtime}, and only Python 3 runs here"
    assert (read.functions["Built"], type(read.functions["Work"])) == (Refused("Built", "Built", why), Declared)


def test_without_a_template_those_of_other_names_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Near ones first; no other YAML file, and nothing of folders with packages."""
    monkeypatch.chdir(tmp_path)
    for name in ("infra/stack/api.yml", "sam.template.yaml", "node_modules/a/template.yaml", ".aws-sam/template.yaml"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("Resources: { F: { Type: AWS::Serverless::Function } }\n")
    Path("compose.yaml").write_text("services: {}\n")
    with pytest.raises(LocalError) as raised:
        read_app(Path("template.yaml"), {})
    assert str(raised.value) == (
        "no template.yaml in this folder\n"
        "  name the template: sam.template.yaml, infra/stack/api.yml (--template FILE), "
        "or write the example's with lambda-latency init DIR"
    )


def test_code_of_python_must_be_there(tmp_path: Path) -> None:
    """With the line of the folder's name, once for all functions; besides a near name, a build may make it."""
    (tmp_path / "utils").mkdir()
    with pytest.raises(TemplateError) as raised:
        app(
            tmp_path,
            """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Work:
    { Type: AWS::Serverless::Function, Properties: { CodeUri: build, Handler: a.b, Runtime: python3.12 } }
  More:
    { Type: AWS::Serverless::Function, Properties: { CodeUri: build, Handler: a.c, Runtime: python3.12 } }
  Other:
    { Type: AWS::Serverless::Function, Properties: { CodeUri: qqqq, Handler: a.c, Runtime: python3.12 } }
""",
        )
    assert str(raised.value) == (
        f"{tmp_path}/template.yaml:4: CodeUri 'build' is not there (also in line 6)\n"
        f"  did you mean 'utils'? or run the build that makes it in {tmp_path}\n"
        f"  {tmp_path}/template.yaml:8: CodeUri 'qqqq' is not there\n"
        f"    correct the name, or run the build that makes it in {tmp_path}"
    )


def test_what_cdk_and_the_serverless_framework_have_built_is_read(tmp_path: Path) -> None:
    """CDK's assets by their metadata or their hashes, a nested stack too; the framework's archive by its name."""
    folder = tmp_path / "asset.1f"
    folder.mkdir()
    (folder / "index.py").write_text("def handler(event, context): ...\n")
    (tmp_path / "shop.zip").touch()
    nested = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    (tmp_path / "nested.json").write_text(json.dumps(nested))
    bucket = {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}

    def function(key: object, **more: object) -> dict[str, object]:
        code = {"S3Bucket": bucket, "S3Key": key}
        properties = {"Code": code, "Handler": "index.handler", "Runtime": "python3.12"}
        return {"Type": "AWS::Lambda::Function", "Properties": properties, **more}

    content = {"S3Bucket": bucket, "S3Key": "1f.zip"}
    template = {
        "Resources": {
            "ByMetadata": function({"Ref": "Key"}, Metadata={"aws:asset:path": "asset.1f"}),
            "ByHash": function("1f.zip"),
            "ByName": function("serverless/shop/dev/1738012233565/shop.zip"),
            "Away": function("serverless/shop/dev/1738012233565/other.zip"),
            "Layer": {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": content}},
            "Nested": {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "nested.json"}},
        },
        "Parameters": {"Key": {"Type": "String", "Default": "x"}},
    }
    read = app(tmp_path, json.dumps(template, indent="\t"))
    codes = {key: fn.code.path for key, fn in read.functions.items() if isinstance(fn, Declared) and fn.code}
    assert codes == {"ByMetadata": folder, "ByHash": folder, "ByName": tmp_path / "shop.zip"}
    away = Refused("Away", "Away", "its code is in an account's S3, and not beside the template")
    assert (read.functions["Away"], [*read.part.children]) == (away, ["Nested"])


def test_a_definition_in_s3_is_not_fetched(tmp_path: Path) -> None:
    """A line says so; samcli would ask AWS for it. The routes of events are served."""
    read = app(
        tmp_path,
        f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Plain: {{ Type: AWS::ApiGateway::RestApi, Properties: {{ BodyS3Location: {{ Bucket: b, Key: k }} }} }}
  Rest: {{ Type: AWS::Serverless::Api, Properties: {{ StageName: dev, DefinitionUri: "s3://b/k" }} }}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      {{ {PYTHON}, Events: {{ Get: {{ Type: Api, Properties: {{ RestApiId: !Ref Rest, Path: /a, Method: get }} }} }} }}
""",
    )
    why = "its definition is in an account's S3, and is not read here"
    assert (routes(read), read.notes) == (["GET /a"], [f"{name}: {why}" for name in ("Plain", "Rest")])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("shop/template.yaml", "shop"),
        ("shop/cdk.out/OrdersStack.template.json", "OrdersStack"),
        ("shop/.serverless/cloudformation-template-update-stack.json", "shop"),
        ("1 shop/template.yaml", "app-1-shop"),
    ],
)
def test_an_app_has_the_name_of_its_folder_or_stack(tmp_path: Path, path: str, name: str) -> None:
    """As a stack may be called; the folder of another framework says nothing."""
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text('{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}')
    assert read_app(file, {}).name == name


def test_a_parameter_that_nothing_uses_has_no_line(tmp_path: Path) -> None:
    """Such as the version of CDK's bootstrap stack, which a rule reads."""
    read = app(
        tmp_path,
        """\
Parameters:
  BootstrapVersion: { Type: "AWS::SSM::Parameter::Value<String>", Default: /cdk-bootstrap/hnb659fds/version }
  Name: { Type: String }
Rules:
  CheckBootstrapVersion: { Assertions: [{ Assert: !Not [!Contains [["1"], !Ref BootstrapVersion]] }] }
Resources:
  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: !Sub "${Name}-x" } }
""",
    )
    assert read.notes == ["parameter Name has no Default: its value is 'local' (--parameter Name=VALUE)"]


def test_a_function_whose_code_or_handler_is_missing_is_left_out(tmp_path: Path) -> None:
    """With its line and the reason; the other functions run."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "work.py").write_text("def handler(event, context): ...\n")
    read = app(
        tmp_path,
        """\
Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12 } }
Resources:
  Gone: { Type: AWS::Serverless::Function, Properties: { CodeUri: qqqq, Handler: work.handler } }
  Wrong: { Type: AWS::Serverless::Function, Properties: { CodeUri: code, Handler: work.handlr } }
  Work: { Type: AWS::Serverless::Function, Properties: { CodeUri: code, Handler: work.handler } }
""",
    )
    path, build = f"{tmp_path}/template.yaml", f"run the build that makes it in {tmp_path}"
    assert {key: fn.why if isinstance(fn, Refused) else "" for key, fn in read.functions.items()} == {
        "Gone": f"{path}:4: CodeUri 'qqqq' is not there: correct the name, or {build}",
        "Wrong": f"{path}:5: Wrong: work.py has no 'handlr': did you mean 'handler'?",
        "Work": "",
    }


def test_a_nested_template_that_is_missing_is_left_out(tmp_path: Path) -> None:
    """With its line; without another function, it is the error."""
    text = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Child: { Type: AWS::Serverless::Application, Properties: { Location: chld.yaml } }
"""
    line = f"{tmp_path}/template.yaml:3: Location 'chld.yaml' is not there"
    (tmp_path / "child.yaml").touch()
    todo = f"did you mean 'child.yaml'? or run the build that makes it in {tmp_path}"
    read = app(tmp_path, f"{text}  Work: {{ Type: AWS::Serverless::Function, Properties: {{ {PYTHON} }} }}\n")
    assert (read.notes, unknown_to(set(), read.part.plain)["Child"]) == (
        [f"Child is left out: {line}: {todo}"],
        "AWS::ServerlessRepo::Application",
    )
    with pytest.raises(TemplateError) as raised:
        app(tmp_path, text)
    assert str(raised.value) == f"{line}\n  {todo}"


def test_apis_of_sam_and_of_cloudformation_are_both_served(tmp_path: Path) -> None:
    """Each at an address of its own; a function may have events of an API of CloudFormation."""
    text = f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Work: {{ Type: AWS::Serverless::Function, Properties: {{ {PYTHON} }} }}
  Http: {{ Type: AWS::ApiGatewayV2::Api, Properties: {{ Name: plain, ProtocolType: HTTP }} }}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {{ ApiId: !Ref Http, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Work.Arn }}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {{ ApiId: !Ref Http, RouteKey: GET /plain, Target: !Sub "integrations/${{Integration}}" }}
"""
    read = app(tmp_path, text)
    assert functions(read) == {"Http": {"GET /plain": "Work"}}
    event = "Events: { Mine: { Type: Api, Properties: { Path: /mine, Method: get } } }"
    read = app(tmp_path, text.replace(f"{PYTHON} }} }}", f"{PYTHON}, {event} }} }}", 1))
    assert functions(read) == {"Http": {"GET /plain": "Work"}, "ServerlessRestApi": {"GET /mine": "Work"}}


def test_a_route_may_lead_to_a_function_of_another_stack(tmp_path: Path) -> None:
    """By an output of a sibling, which is read first, by a function of the outer template, or by a written name."""
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/%s/invocations"
    paths = {
        f"/{name}": {
            "get": {
                "x-amazon-apigateway-integration": {
                    "type": "aws_proxy",
                    "httpMethod": "POST",
                    "uri": {"Fn::Sub": uri % target},
                }
            }
        }
        for name, target in {
            "inner": "${Inner}",
            "outer": "${Outer}",
            "named": "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:written",
            "stage": "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${!stageVariables.name}",
        }.items()
    }
    body = json.dumps({"openapi": "3.0.1", "paths": paths})
    (tmp_path / "api.yaml").write_text(
        f"""\
Transform: AWS::Serverless-2016-10-31
Parameters: {{ Inner: {{ Type: String }}, Outer: {{ Type: String }} }}
Resources: {{ Api: {{ Type: AWS::Serverless::Api, Properties: {{ StageName: dev, DefinitionBody: {body} }} }} }}
"""
    )
    (tmp_path / "work.yaml").write_text(
        f"""\
Transform: AWS::Serverless-2016-10-31
Resources: {{ Work: {{ Type: AWS::Serverless::Function, Properties: {{ {PYTHON} }} }} }}
Outputs: {{ Arn: {{ Value: !GetAtt Work.Arn }} }}
"""
    )
    read = app(
        tmp_path,
        f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Front:
    Type: AWS::Serverless::Application
    Properties:
      Location: api.yaml
      Parameters: {{ Inner: !GetAtt Back.Outputs.Arn, Outer: !GetAtt Own.Arn }}
  Back: {{ Type: AWS::Serverless::Application, Properties: {{ Location: work.yaml }} }}
  Own: {{ Type: AWS::Serverless::Function, Properties: {{ {PYTHON} }} }}
  Named: {{ Type: AWS::Serverless::Function, Properties: {{ {PYTHON}, FunctionName: written }} }}
""",
    )
    routes = {"GET /inner": "Back/Work", "GET /named": "Named", "GET /outer": "Own", "GET /stage": ""}
    assert (functions(read), read.notes) == ({"Front/Api": routes}, [])


def test_a_file_system_is_named(tmp_path: Path) -> None:
    """It is not mounted: the function would find a folder of this machine, or none."""
    read = app(
        tmp_path,
        f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Work:
    Type: AWS::Serverless::Function
    Properties: {{ {PYTHON}, FileSystemConfigs: [{{ Arn: arn:a, LocalMountPath: /mnt/files }}] }}
""",
    )
    assert read.notes == ["Work: its file system is not mounted here, and /mnt/files is a folder of this machine"]


@pytest.mark.parametrize("location", ["!Ref File", '!Sub "${File}"'])
def test_an_included_file_may_be_named_by_a_parameter(tmp_path: Path, location: str) -> None:
    """By its default or by a given value: todo apps name their OpenAPI file so."""
    (tmp_path / "api.yaml").write_text(
        f"""\
openapi: "3.0.1"
paths:
  /included:
    get:
      x-amazon-apigateway-integration: {{ type: aws_proxy, httpMethod: POST, uri: {{ "Fn::Sub": "{URI}" }} }}
"""
    )
    included = f"Fn::Transform: {{ Name: AWS::Include, Parameters: {{ Location: {location} }} }}"
    read = app(
        tmp_path,
        f"""\
Transform: AWS::Serverless-2016-10-31
Parameters: {{ File: {{ Type: String, Default: api.yaml }} }}
Resources:
  Api: {{ Type: AWS::Serverless::Api, Properties: {{ StageName: dev, DefinitionBody: {{ {included} }} }} }}
  Work: {{ Type: AWS::Serverless::Function, Properties: {{ {PYTHON} }} }}
""",
    )
    assert functions(read) == {"Api": {"GET /included": "Work"}}


@pytest.mark.parametrize(
    ("uri", "made"),
    [
        ("arn:${AWS::Partition}:f/invocations", {"Fn::Sub": "arn:${AWS::Partition}:f/invocations"}),
        ("https://${stageVariables.host}/${AWS::Region}", "https://${stageVariables.host}/${AWS::Region}"),
    ],
)
def test_pseudo_parameters_in_the_text_of_an_address_have_their_values(uri: str, made: object) -> None:
    """AWS's own patterns include definitions with such text, outside of `Fn::Sub`."""
    body = {"paths": {"/a": {"get": {"x-amazon-apigateway-integration": {"uri": uri}}}}}
    api = {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": body}}
    resources = expanded({"Resources": {"Api": api}}, authorizers=True)["Resources"].values()
    methods = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::ApiGateway::Method"]
    assert [method["Integration"]["Uri"] for method in methods] == [made]
