"""A fake DynamoDB for the tests: no request leaves this process."""

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


@pytest.fixture
def dynamodb(monkeypatch):
    """DynamoDB's responses by operation: `dynamodb["Query"] = {"Items": []}`."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "ORDERS_TABLE": "orders",
        "PAYMENTS_URL": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    from functions.table import CLIENT  # the module reads the variables at import

    answers = {}

    def answer(model, **_):
        return AWSResponse("", 200, HTTPHeaders(), None), {**answers[model.name], "ResponseMetadata": {}}

    CLIENT.meta.events.register("before-call.dynamodb", answer)
    yield answers
    CLIENT.meta.events.unregister("before-call.dynamodb", answer)
