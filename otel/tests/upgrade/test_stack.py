"""A deployed stack of the template of 1a784ab8, with its 20 parameters: what an update keeps."""

from __future__ import annotations

from tests.docs.pages import page
from tests.template.deployed import deploy, template

FUNCTIONS = ("CancelOrder", "CreateOrder", "GetOrder", "ListOrders")
# What it deployed by its defaults, but for the deployment and the layer, whose names change with their content.
EARLIER = {
    "Api": "AWS::ApiGateway::RestApi",
    "ApiStage": "AWS::ApiGateway::Stage",
    "OrdersTable": "AWS::DynamoDB::Table",
    "SamplingRule": "AWS::XRay::SamplingRule",
    "Observability": "AWS::CloudFormation::Stack",
    **dict.fromkeys(FUNCTIONS, "AWS::Lambda::Function"),
    **{f"{function}Log": "AWS::Logs::LogGroup" for function in FUNCTIONS},
    **{f"{function}Role": "AWS::IAM::Role" for function in FUNCTIONS},
}
# A change of one of these replaces the resource.
TABLE = {
    "AttributeDefinitions": [
        {"AttributeName": "order_id", "AttributeType": "S"},
        {"AttributeName": "customer", "AttributeType": "S"},
        {"AttributeName": "created_at", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "order_id", "KeyType": "HASH"}],
}
GONE = (
    "Export", "Instrumentation", "Authorizer", "UserPoolArn", "AccessLog", "Protection", "Alarms", "Architecture",
    "RequestsPerSecond", "PaymentsTimeoutMs", "AdotLayerArn", "CollectorLayerArn",
)  # fmt: skip


def test_an_update_replaces_neither_the_table_nor_the_api() -> None:
    """Nor a function, a log group or a role: each has its logical id and type. `lab deploy --from` updates a stack."""
    stack = deploy()
    kept = {name: resource["Type"] for name, resource in stack.resources.items() if name in EARLIER}
    table = stack.resources["OrdersTable"]["Properties"]

    assert kept == EARLIER
    assert {name: table[name] for name in TABLE} == TABLE
    assert "TableName" not in table
    assert stack.resources["Api"]["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_the_page_says_where_the_value_of_each_parameter_is_now() -> None:
    """Each parameter that is gone has its rows."""
    rows = "\n".join(parameter for parameter, _, _ in page("how-to/upgrade.md").table("parameter | value | now"))
    text = page("how-to/upgrade.md").text.split("## The stack of the earlier template", 1)[1]

    assert [name for name in GONE if f"`{name}`" not in text] == []
    assert [name for name in template()["Parameters"] if f"`{name}`" in rows] == []
