"""Starts the emulator with one gap closed: a changed body of a REST API changes the API, and its id and address stay.

CloudFormation documents that a change of `Body` needs no interruption; the emulator makes another API. Run by the
emulator's own Python, which has nothing of the kit.
"""

from typing import Any

from ministack.app import main
from ministack.services import apigateway_v1 as apis
from ministack.services.cloudformation import provisioners

OF_THE_BODY = ("_resources", "_authorizers_v1", "_models", "_gateway_responses", "_request_validators")
replace = provisioners._apigw_rest_api_update


def change(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str | None = None
) -> tuple[str, dict[str, Any]]:
    """Import the new body under the id of the API that is there; all else is the emulator's own update."""
    if new.get("Body") != old.get("Body"):
        imported, _ = provisioners._apigw_rest_api_create(logical_id or physical_id, new, stack)
        for name in OF_THE_BODY:
            store = getattr(apis, name)
            store[physical_id] = store.pop(imported, {})
        apis._rest_apis.pop(imported)
        old = {**old, "Body": new.get("Body")}
    changed: tuple[str, dict[str, Any]] = replace(physical_id, old, new, stack, logical_id)
    return changed


def install() -> None:
    """Put it in the emulator's table of types."""
    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RestApi"]["update"] = change


if __name__ == "__main__":
    install()
    main()
