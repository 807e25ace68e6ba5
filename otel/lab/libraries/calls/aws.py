"""AWS's own clients."""

from typing import Any

from lab.libraries.four import awaited, four

REGION = {"region_name": "eu-west-1", "aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "nothing"}


def boto3_ask(port: int, table: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=2)
    client = boto3.client("dynamodb", endpoint_url=f"http://localhost:{port}", config=config, **REGION)  # type: ignore[call-overload]
    if table == "":
        return client.list_tables()["TableNames"]
    return client.describe_table(TableName=table)["Table"]["TableName"]


async def aioboto3_ask(port: int, table: str) -> Any:
    import aioboto3
    from aiobotocore.config import AioConfig

    config = AioConfig(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=2)
    async with aioboto3.Session().client(
        "dynamodb", endpoint_url=f"http://localhost:{port}", config=config, **REGION
    ) as client:
        if table == "":
            return (await client.list_tables())["TableNames"]
        return (await client.describe_table(TableName=table))["Table"]["TableName"]


def pynamodb_ask(port: int, table: str) -> Any:
    from pynamodb.connection import Connection

    connection = Connection(
        region="eu-west-1", host=f"http://localhost:{port}", max_retry_attempts=0, connect_timeout_seconds=1,
        read_timeout_seconds=1,
    )  # fmt: skip
    if table == "":
        return connection.list_tables()["TableNames"]
    return connection.describe_table(table)["TableName"]


LIBRARIES = {
    "boto3": four(boto3_ask, "", "missing"),
    "aioboto3": four(awaited(aioboto3_ask), "", "missing"),
    "pynamodb": four(pynamodb_ask, "", "missing"),
}
