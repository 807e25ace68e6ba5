"""The traces of an account that nobody prepared: what API Gateway, Lambda and the X-Ray SDK write there."""

from __future__ import annotations

from typing import Any


def sdk_segments(trace_id: str, start_s: int) -> list[dict[str, Any]]:
    """A request to `orders-api/prod`: a table is read, then payments are asked, which takes one in twenty long."""
    number = int(trace_id[-6:], 16)
    at = start_s + number % 1000 / 1000
    slow = 0.9 if number % 20 == 7 else 0.0
    ids = iter(f"{number * 16 + k + 1:016x}" for k in range(16))
    stage, call, service, function, invocation, table, payments, overhead = (next(ids) for _ in range(8))
    request = {"method": "POST", "url": "https://abc.execute-api.us-east-1.amazonaws.com/prod/orders"}
    return [
        {
            "id": stage,
            "name": "orders-api/prod",
            "trace_id": trace_id,
            "origin": "AWS::ApiGateway::Stage",
            "start_time": at,
            "end_time": at + 0.1 + slow,
            "http": {"request": request, "response": {"status": 201}},
            "subsegments": [
                {
                    "id": call,
                    "name": "Lambda",
                    "namespace": "aws",
                    "start_time": at + 0.002,
                    "end_time": at + 0.098 + slow,
                    "aws": {"function_name": "create-order", "operation": "Invoke"},
                }
            ],
        },
        {
            "id": service,
            "parent_id": call,
            "name": "create-order",
            "trace_id": trace_id,
            "origin": "AWS::Lambda",
            "start_time": at + 0.004,
            "end_time": at + 0.096 + slow,
            "http": {"response": {"status": 200}},
        },
        {
            "id": function,
            "parent_id": service,
            "name": "create-order",
            "trace_id": trace_id,
            "origin": "AWS::Lambda::Function",
            "start_time": at + 0.006,
            "end_time": at + 0.096 + slow,
            "subsegments": [
                {
                    "id": invocation,
                    "name": "Invocation",
                    "start_time": at + 0.006,
                    "end_time": at + 0.094 + slow,
                    "subsegments": [
                        {
                            "id": table,
                            "name": "DynamoDB",
                            "namespace": "aws",
                            "start_time": at + 0.01,
                            "end_time": at + 0.02,
                            "aws": {"operation": "GetItem", "table_name": "orders"},
                        },
                        {
                            "id": payments,
                            "name": "payments.example.com",
                            "namespace": "remote",
                            "start_time": at + 0.03,
                            "end_time": at + 0.08 + slow,
                            "http": {
                                "request": {"method": "POST", "url": "https://payments.example.com/charges"},
                                "response": {"status": 200},
                            },
                        },
                    ],
                },
                {"id": overhead, "name": "Overhead", "start_time": at + 0.094 + slow, "end_time": at + 0.096 + slow},
            ],
        },
    ]
