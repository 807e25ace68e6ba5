"""What handlers call: a small HTTP server that also answers as AWS's services do, and keeps what it was sent."""

import hashlib
import json
import time
from dataclasses import dataclass

from lambda_latency.http import Handler, Server, reset

XML = {"Content-Type": "text/xml"}
JSON = {"Content-Type": "application/json"}
SNS = (
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m-1</MessageId>'
    "</PublishResult></PublishResponse>"
)
STS = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:iam::123456789012:user/u</Arn><UserId>u</UserId><Account>123456789012</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
REFUSALS = {
    "missing": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
    "throttled": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "conditional": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
}
"""DynamoDB's error by the name of the table."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; names of headers in lower case."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Peer:
    """Listens on a port of its own from the moment it exists until `close`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._server = Server(type("Answers", (_Answers,), {"peer": self}))

    @property
    def url(self) -> str:
        return f"http://{self._server.address}"

    @property
    def port(self) -> int:
        return self._server.port

    def close(self) -> None:
        self._server.close()


class _Answers(Handler):
    peer: Peer

    def do_GET(self) -> None:
        body = self.body()
        headers = tuple(sorted((name.lower(), value) for name, value in self.headers.items()))
        self.peer.requests.append(Request(self.command, self.path, headers, body))
        if self.path.startswith("/http/"):
            self._plain(self.path.removeprefix("/http/").partition("?")[0])
        else:
            self._service(body)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_GET

    def _plain(self, action: str) -> None:
        if action.startswith("status/"):
            self.answer(int(action.removeprefix("status/")), b'{"status": "as asked"}', JSON)
        elif action == "reset":
            reset(self.connection)
            raise ConnectionAbortedError("on purpose")
        elif action == "slow":
            time.sleep(1)
            self.answer(200, b"{}", JSON)
        elif action == "redirect":
            self.answer(302, b"", {"Location": "/http/landed"})
        elif action == "large":
            self.answer(200, b"x" * 300_000, {"Content-Type": "text/plain"})
        else:
            self.answer(200, json.dumps({"path": self.path}).encode(), JSON)

    def _service(self, body: bytes) -> None:
        target = self.headers.get("X-Amz-Target", "")
        service = self.headers.get("Authorization", "").partition("Credential=")[2].split("/")[3:4]
        if target.startswith("DynamoDB"):
            self._dynamodb(target.rpartition(".")[2], json.loads(body))
        elif target.startswith("AmazonSQS"):
            text = json.loads(body).get("MessageBody", "")
            digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
            self.answer(200, json.dumps({"MessageId": "m-1", "MD5OfMessageBody": digest}).encode(), JSON)
        elif service == ["sns"]:
            self.answer(200, SNS.encode(), XML)
        elif service == ["sts"]:
            self.answer(200, STS.encode(), XML)
        elif service == ["s3"]:
            self.answer(
                200, b"" if self.command == "PUT" else b"an object", {"ETag": '"e"', "Content-Type": "text/plain"}
            )
        elif service == ["lambda"]:
            self.answer(200, b'{"from": "the other function"}', JSON)
        elif target.startswith("AWSEvents"):
            self.answer(200, b'{"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}', JSON)
        elif target.startswith("AmazonSSM"):
            self.answer(200, b'{"Parameter": {"Name": "p", "Value": "v", "Type": "String", "Version": 1}}', JSON)
        else:
            self.answer(200, b"{}", JSON)

    def _dynamodb(self, operation: str, parameters: dict[str, object]) -> None:
        refusal = REFUSALS.get(str(parameters.get("TableName")))
        if refusal is not None:
            self.answer(400, json.dumps({"__type": refusal, "message": "as asked"}).encode(), JSON)
        elif operation in ("Query", "Scan"):
            is_first = "ExclusiveStartKey" not in parameters
            page = {"Items": [{"id": {"S": "1" if is_first else "2"}}], "Count": 1, "ScannedCount": 1}
            self.answer(
                200, json.dumps(page | ({"LastEvaluatedKey": {"id": {"S": "1"}}} if is_first else {})).encode(), JSON
            )
        elif operation == "GetItem":
            self.answer(200, b'{"Item": {"id": {"S": "1"}, "n": {"N": "7"}}}', JSON)
        elif operation == "BatchWriteItem":
            self.answer(200, b'{"UnprocessedItems": {}}', JSON)
        elif operation == "DescribeTable":
            self.answer(200, b'{"Table": {"TableName": "orders", "TableStatus": "ACTIVE"}}', JSON)
        else:
            self.answer(200, b"{}", JSON)
