"""API keys and tokens of the emulator, for the requests that the kit makes or prints."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

Client = Callable[[str], Any]
USER, PASSWORD = "me@example.com", "Passw0rd!-local"
UNKNOWN = "TOKEN"  # in place of a token that only its issuer can make
FLOW = "ADMIN_USER_PASSWORD_AUTH"


def api_key(client: Client, api: str) -> str:
    """Return the value of a key that a usage plan of an API with this id accepts; `KEY` without one."""
    gateway = client("apigateway")
    for plan in gateway.get_usage_plans()["items"]:
        if any(stage["apiId"] == api for stage in plan.get("apiStages", ())):
            for key in gateway.get_usage_plan_keys(usagePlanId=plan["id"])["items"]:
                return str(gateway.get_api_key(apiKey=key["id"], includeValue=True)["value"])
    return "KEY"


def token(client: Client, api: tuple[str, str], authorizer: str) -> str:
    """Return a token of an hour that an authorizer accepts; `UNKNOWN` if its issuer is no user pool of the emulator.

    `api` are the kind and the id of the API, `authorizer` is the id of the authorizer.
    """
    from botocore.exceptions import ClientError

    kind, api_id = api
    try:
        if kind == "rest":
            declared = client("apigateway").get_authorizer(restApiId=api_id, authorizerId=authorizer)
            return _token_of(client("cognito-idp"), declared["providerARNs"][0].rpartition("/")[2], "")
        declared = client("apigatewayv2").get_authorizer(ApiId=api_id, AuthorizerId=authorizer)
        accepted: Mapping[str, Any] = declared["JwtConfiguration"]
        pool, audience = accepted["Issuer"].rpartition("/")[2], next(iter(accepted.get("Audience", ())), "")
        return f"Bearer {_token_of(client('cognito-idp'), pool, audience)}"
    except (ClientError, LookupError):
        return UNKNOWN


def _token_of(cognito: Any, pool: str, app_client: str) -> str:
    """Return a token of a user of a pool, for this client or a new one. Raises `ClientError` if the pool refuses it."""
    if not app_client:
        flows = [f"ALLOW_{FLOW}", "ALLOW_REFRESH_TOKEN_AUTH"]
        made = cognito.create_user_pool_client(UserPoolId=pool, ClientName="lambda-latency", ExplicitAuthFlows=flows)
        app_client = made["UserPoolClient"]["ClientId"]
    with contextlib.suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(UserPoolId=pool, Username=USER, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=USER, Password=PASSWORD, Permanent=True)
    parameters = {"USERNAME": USER, "PASSWORD": PASSWORD}
    answer = cognito.admin_initiate_auth(UserPoolId=pool, ClientId=app_client, AuthFlow=FLOW, AuthParameters=parameters)
    return str(answer["AuthenticationResult"]["IdToken"])
