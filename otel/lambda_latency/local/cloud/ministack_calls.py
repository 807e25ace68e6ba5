"""Calls from ministack's API Gateway to its services, over HTTP: requests and responses are the services' own."""

import json
import os
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree as ET

TARGETS = {  # services of the JSON protocol: the prefix of X-Amz-Target, and the version of the protocol
    "events": ("AWSEvents", "1.1"),
    "states": ("AWSStepFunctions", "1.0"),
    "kinesis": ("Kinesis_20131202", "1.1"),
    "dynamodb": ("DynamoDB_20120810", "1.0"),
}
QUERIES = {"sqs": "2012-11-05", "sns": "2010-03-31"}  # services of the query protocol, and the versions of their APIs
FORM = "application/x-www-form-urlencoded"
WHY = "x-lambda-latency-why"  # the header that tells the gateway why an integration failed

Answer = tuple[int, dict[str, str], bytes]


def query_form(action: str, params: Any) -> str:
    """A call of SQS as a form. Attributes are given in JSON."""
    form = {"Action": action, "Version": QUERIES["sqs"]}
    for key, value in params.items():
        if key in ("MessageAttributes", "MessageSystemAttributes"):
            for place, (name, one) in enumerate(json.loads(value).items(), 1):
                start = f"{key[:-1]}.{place}"
                form |= {f"{start}.Name": name, **{f"{start}.Value.{kind}": text for kind, text in one.items()}}
        else:
            form[key] = value
    return urlencode(form)


def target(service: str, action: str) -> dict[str, str]:
    """The headers of a call in the JSON protocol."""
    prefix, version = TARGETS[service]
    return {"X-Amz-Target": f"{prefix}.{action}", "Content-Type": f"application/x-amz-json-{version}"}


def called(service: str, method: str, path: str, body: str, headers: dict[str, str], trace: str) -> Answer:
    """Call a service of this process. `trace` is the tracing header, or empty."""
    day = f"20260101/{os.environ['MINISTACK_REGION']}"  # the name in the credential selects the service
    signed = f"AWS4-HMAC-SHA256 Credential=local/{day}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    sent = {"Authorization": signed, "Content-Type": "application/json", **headers}
    trace = system_attribute(body) or trace
    sent |= {"X-Amzn-Trace-Id": trace} if trace else {}
    connection = HTTPConnection("127.0.0.1", int(os.environ["GATEWAY_PORT"]), timeout=60)
    try:
        connection.request(method, path, body.encode(), sent)
        answer = connection.getresponse()
        return answer.status, {"Content-Type": answer.getheader("Content-Type") or "text/plain"}, answer.read()
    except (OSError, HTTPException) as error:
        return failed(f"{service} does not answer: {error!r}")
    finally:
        connection.close()


def system_attribute(body: str) -> str:
    """The tracing header in the form of a message for SQS, which ministack does not read; empty without one."""
    if "MessageSystemAttribute." not in body:
        return ""
    form = dict(parse_qsl(body))
    name = next((key for key, value in form.items() if value == "AWSTraceHeader"), "")
    return form.get(name.replace(".Name", ".Value.StringValue"), "")


def failed(why: str) -> Answer:
    """API Gateway's answer to an integration that fails."""
    headers = {"Content-Type": "application/json", WHY: " ".join(why.split())}
    return 500, headers, b'{"message": "Internal server error"}'


def unmarked(text: str) -> Any:
    """XML as API Gateway writes it in JSON: elements by name, without namespaces."""
    root = ET.fromstring(text)  # noqa: S314 - ministack's own answer
    return {name_of(root): content(root)}


def content(element: Any) -> Any:
    """The content of an element: its text, or its children by name."""
    children: dict[str, Any] = {}
    for child in element:
        children[name_of(child)] = content(child)
    return children or element.text


def name_of(element: Any) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]
