"""Who may call the API and how often, what is logged, and what protects the table: each switch alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.template.deployed import deploy, refused

POOL = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc"
METHODS = {("/orders", "post"), ("/orders", "get"), ("/orders/{id}", "get"), ("/orders/{id}/cancel", "post")}


def security(**parameters: str) -> tuple[dict[tuple[str, str], Any], list[str]]:
    """What each method wants, and the schemes that there are."""
    (api,) = deploy(**parameters).of_type("AWS::ApiGateway::RestApi").values()
    paths = api["Body"]["paths"].items()
    wanted = {(path, method): one.get("security") for path, methods in paths for method, one in methods.items()}
    return wanted, sorted(api["Body"]["components"]["securitySchemes"])


@pytest.mark.parametrize(
    ("parameters", "wanted", "schemes"),
    [
        ({}, None, []),
        ({"Authorizer": "iam"}, [{"sigv4": []}], ["sigv4"]),
        ({"Authorizer": "jwt", "UserPoolArn": POOL}, [{"token": []}], ["token"]),
    ],
)
def test_every_method_wants_the_same_of_its_caller(
    parameters: dict[str, str], wanted: list[Any] | None, schemes: list[str]
) -> None:
    """None is forgotten; nothing names a user pool that is not given."""
    assert security(**parameters) == (dict.fromkeys(METHODS, wanted), schemes)
    assert refused("us-east-1", **parameters) == []


def test_tokens_without_a_user_pool_are_refused() -> None:
    """Before anything is made."""
    assert refused("us-east-1", Authorizer="jwt") == [
        "Authorizer=jwt accepts tokens of a user pool. Set UserPoolArn."
    ]  # fmt: skip


@pytest.mark.parametrize("given", [{}, {"RequestsPerSecond": "7"}])
def test_requests_are_throttled(given: dict[str, str]) -> None:
    """For all methods, also where nothing is set."""
    (stage,) = deploy(**given).of_type("AWS::ApiGateway::Stage").values()
    (setting,) = stage["MethodSettings"]
    told = {str(setting["ThrottlingRateLimit"]), str(setting["ThrottlingBurstLimit"])}
    assert (setting["ResourcePath"], setting["HttpMethod"], told) == ("/*", "*", {given.get("RequestsPerSecond", "50")})


@pytest.mark.parametrize("switch", ["off", "on"])
def test_the_access_log_is_a_switch(switch: str) -> None:
    """A new account has no role for it, so it is off; on, a line has the trace."""
    stack = deploy(AccessLog=switch)
    (stage,) = stack.of_type("AWS::ApiGateway::Stage").values()
    logged = "AccessLogSetting" in stage
    assert (logged, "AccessLogs" in stack.of_type("AWS::Logs::LogGroup")) == (switch == "on", switch == "on")
    assert not logged or "$context.xrayTraceId" in stage["AccessLogSetting"]["Format"]


@pytest.mark.parametrize("switch", ["off", "on"])
def test_the_table_is_protected_by_a_switch(switch: str) -> None:
    """From deletion, and by backups."""
    (table,) = deploy(Protection=switch).of_type("AWS::DynamoDB::Table").values()
    told = table["DeletionProtectionEnabled"], table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert told == (switch == "on", switch == "on")
