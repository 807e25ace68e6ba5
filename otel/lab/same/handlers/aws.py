"""AWS's services by boto3 and others."""

import asyncio
import copy
import datetime
import functools
import io
import os
import types

import boto3
import botocore.config
import botocore.exceptions
import botocore.session
import botocore.stub
from botocore.awsrequest import AWSResponse
from botocore.credentials import RefreshableCredentials

PEER = os.environ["PEER"]
TABLE = boto3.client("dynamodb")
KEY = {"id": {"S": "1"}}
PATHS = botocore.config.Config(s3={"addressing_style": "path"})


def stub_of_credentials():
    """As a function that assumes a role keeps its credentials fresh."""
    expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    return {
        "access_key": "AKIAIOSFODNN7EXAMPLE",
        "secret_key": "s" * 40,
        "token": "t",
        "expiry_time": expiry.isoformat(),
    }


def tried(call):
    try:
        return call()
    except Exception as error:
        return [type(error).__name__, str(error), getattr(error, "response", {}).get("Error")]


def get_item(event, context):
    return TABLE.get_item(TableName="orders", Key=KEY)["Item"]


def throttled(event, context):
    answers = []
    for mode in ("standard", "adaptive"):
        retries = {"total_max_attempts": 2, "mode": mode}
        config = botocore.config.Config(retries=retries, max_pool_connections=1, user_agent_extra="own/1")
        client = boto3.client("dynamodb", config=config)
        answers.append(tried(lambda: client.get_item(TableName="throttled", Key=KEY)))
    return answers


def topic_attributes(event, context):
    """Ten attributes, which is all that SNS delivers raw to a queue."""
    attributes = {f"a{number}": {"DataType": "String", "StringValue": "x"} for number in range(10)}
    before = copy.deepcopy(attributes)
    boto3.client("sns").publish(
        TopicArn="arn:aws:sns:us-east-1:123456789012:t", Message="hi", MessageAttributes=attributes
    )
    return attributes == before


def upload(event, context):
    client = boto3.client("s3", config=PATHS)
    client.upload_fileobj(io.BytesIO(b"x" * 100), "b", "k")
    into = io.BytesIO()
    client.download_fileobj("b", "k", into)
    return into.getvalue().decode()


def stubbed(event, context):
    client = boto3.client("dynamodb")
    with botocore.stub.Stubber(client) as stub:
        stub.add_response("list_tables", {"TableNames": ["abc"]}, {})
        stub.add_client_error("list_tables", "ThrottlingException", "slow down", 400)
        return [client.list_tables()["TableNames"], tried(client.list_tables)]


def introspected(event, context):
    import inspect

    return [
        TABLE.get_item.__name__,
        (TABLE.get_item.__doc__ or "")[:20],
        str(inspect.signature(TABLE.get_item)),
        type(TABLE).__name__,
        str(inspect.signature(botocore.client.BaseClient._make_api_call)),
        callable(TABLE.meta.events.emit),
    ]


def low_level(event, context):
    client = botocore.session.get_session().create_client("dynamodb")
    return client._make_api_call("ListTables", {})["ResponseMetadata"]["HTTPStatusCode"]


def in_threads(event, context):
    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(3) as workers:
        calls = [workers.submit(TABLE.get_item, TableName="orders", Key={"id": {"S": str(n)}}) for n in range(3)]
        return [call.result()["Item"]["n"] for call in calls]


def clients_in_threads(event, context):
    import concurrent.futures

    def call(number):
        return boto3.session.Session().client("dynamodb").list_tables()["ResponseMetadata"]["HTTPStatusCode"]

    with concurrent.futures.ThreadPoolExecutor(3) as workers:
        return list(workers.map(call, range(3)))


def event_handlers(event, context):
    """What the handlers of a call's events are given, in their order."""
    client, seen = boto3.client("dynamodb"), []
    for what in ("provide-client-params", "before-parameter-build", "before-call", "request-created", "choose-signer",
                 "before-sign", "before-send", "response-received", "needs-retry", "after-call"):  # fmt: skip
        note = functools.partial(lambda what, **given: seen.append([what, sorted(given)]), what)
        client.meta.events.register(f"{what}.dynamodb.GetItem", note)
    client.get_item(TableName="orders", Key=KEY)
    return seen


class Raw:
    def stream(self, **_):
        yield b'{"TableNames": ["raw"]}'


def answered_by_handlers(event, context):
    """Calls that never leave."""
    early, late = boto3.client("dynamodb"), boto3.client("dynamodb")
    http = types.SimpleNamespace(status_code=200, headers={})
    early.meta.events.register("before-call.dynamodb.ListTables", lambda **_: (http, {"TableNames": ["parsed"]}))
    late.meta.events.register(
        "before-send.dynamodb.ListTables", lambda request, **_: AWSResponse(request.url, 200, {}, Raw())
    )
    return [early.list_tables()["TableNames"], late.list_tables()["TableNames"]]


def refreshed(event, context):
    session = botocore.session.get_session()
    session._credentials = RefreshableCredentials.create_from_metadata(
        stub_of_credentials(), stub_of_credentials, "custom"
    )
    return boto3.Session(botocore_session=session).client("sts").get_caller_identity()["Account"]


def task_each(event, context):
    from aiobotocore.session import get_session

    async def all_of_them():
        async with get_session().create_client("dynamodb") as client:
            items = await asyncio.gather(
                *[client.get_item(TableName="orders", Key={"id": {"S": str(number)}}) for number in range(3)]
            )
            pages = client.get_paginator("query").paginate(TableName="orders", KeyConditionExpression="a = b")
            return [[item["Item"]["n"] for item in items], [page["Count"] async for page in pages]]

    return asyncio.run(all_of_them())


def queue():
    attributes = {"own": {"StringValue": "1", "DataType": "String"}}
    client = boto3.client("sqs")
    return client.send_message(QueueUrl=f"{PEER}/1/q", MessageBody="hi", MessageAttributes=attributes)["MessageId"]


def another_function():
    answer = boto3.client("lambda").invoke(FunctionName="other", Payload=b'{"a": 1}', ClientContext="e30=")
    return answer["Payload"].read().decode()


def topic():
    return boto3.client("sns").publish(TopicArn="arn:aws:sns:us-east-1:123456789012:t", Message="hi")["MessageId"]


def bus():
    entry = {"Source": "s", "DetailType": "d", "Detail": "{}"}
    return boto3.client("events").put_events(Entries=[entry])["Entries"]


SERVICES = {"SQS": queue, "SNS": topic, "EventBridge": bus, "Lambda": another_function}


def service(event, context):
    return SERVICES[event["service"]]()


def conditional():
    try:
        TABLE.put_item(TableName="conditional", Item=KEY, ConditionExpression="attribute_not_exists(id)")
    except TABLE.exceptions.ConditionalCheckFailedException as error:
        return [type(error).__qualname__, error.response["Error"]["Code"]]


def metadata():
    answer = TABLE.put_item(TableName="orders", Item=KEY)
    return [answer["ResponseMetadata"]["HTTPStatusCode"], answer["ResponseMetadata"]["RetryAttempts"], sorted(answer)]


def resource():
    table = boto3.resource("dynamodb").Table("orders")
    with table.batch_writer() as batch:
        for number in range(3):
            batch.put_item(Item={"id": str(number)})
    return [str(table.get_item(Key={"id": "1"})["Item"]["n"]), table.name]


def pages():
    found = TABLE.get_paginator("query").paginate(TableName="orders", KeyConditionExpression="id = :i")
    searched = TABLE.get_paginator("scan").paginate(TableName="t", PaginationConfig={"PageSize": 1, "MaxItems": 2})
    return [[page["Items"] for page in found], [*searched.search("Items[].id.S")]]


def waits():
    failing = TABLE.get_waiter("table_not_exists")
    TABLE.get_waiter("table_exists").wait(TableName="orders", WaiterConfig={"Delay": 1, "MaxAttempts": 2})
    return tried(lambda: failing.wait(TableName="orders", WaiterConfig={"Delay": 0, "MaxAttempts": 2}))


def unreachable():
    config = botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    return tried(lambda: boto3.client("dynamodb", endpoint_url="http://127.0.0.1:1", config=config).list_tables())[:1]


OPERATIONS = {
    "missing": lambda: tried(lambda: TABLE.get_item(TableName="missing", Key=KEY)),
    "missing unhandled": lambda: TABLE.get_item(TableName="missing", Key=KEY),
    "invalid": lambda: tried(lambda: TABLE.get_item(TableName="orders", Key={"id": 7})),
    "transaction": lambda: TABLE.transact_write_items(TransactItems=[{"Put": {"TableName": "orders", "Item": KEY}}]),
    "conditional": conditional,
    "metadata": metadata,
    "resource": resource,
    "pages": pages,
    "waits": waits,
    "unreachable": unreachable,
}


def done(event, context):
    answer = OPERATIONS[event["operation"]]()
    return sorted(answer) if isinstance(answer, dict) else answer


def presigned(event, context):
    client = boto3.client("s3", config=PATHS)
    post = client.generate_presigned_post("b", "k", ExpiresIn=60)
    address = client.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"}, ExpiresIn=60)
    parameters = sorted(part.split("=")[0] for part in address.partition("?")[2].split("&"))
    return [post["url"], sorted(post["fields"]), parameters]


def twice(event, context):
    return [TABLE.get_item(TableName="orders", Key=KEY)["Item"]["n"] for _ in range(2)]
