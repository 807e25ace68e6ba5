"""The traces of an account that nobody prepared: what API Gateway, Lambda and the X-Ray SDK write there."""

from typing import Any


def sdk_segments(trace_id: str, start_s: int) -> list[dict[str, Any]]:
    """A request to `orders-api/prod`: a table is read, then payments are asked, which takes one in twenty long."""
    number = int(trace_id[-6:], 16)
    begin_s = start_s + number % 1000 / 1000
    slow = 0.9 if number % 20 == 7 else 0.0
    ids = [f"{number * 16 + place:016x}" for place in range(1, 9)]

    def part(place: int, name: str, start: float, end: float, **more: Any) -> dict[str, Any]:
        return {"id": ids[place], "name": name, "start_time": begin_s + start, "end_time": begin_s + end + slow, **more}

    call = part(
        1, "Lambda", 0.002, 0.098, namespace="aws", aws={"function_name": "create-order", "operation": "Invoke"}
    )
    table = part(5, "DynamoDB", 0.01, 0.02, namespace="aws", aws={"operation": "GetItem", "table_name": "orders"})
    table["end_time"] -= slow
    charge = {"method": "POST", "url": "https://payments.example.com/charges"}
    payments = part(6, "payments.example.com", 0.03, 0.08, namespace="remote")
    payments["http"] = {"request": charge, "response": {"status": 200}}
    invocation = part(4, "Invocation", 0.006, 0.094, subsegments=[table, payments])
    overhead = part(7, "Overhead", 0.094, 0.096)
    overhead["start_time"] += slow
    request = {"method": "POST", "url": "https://abc.execute-api.us-east-1.amazonaws.com/prod/orders"}
    answered = {"request": request, "response": {"status": 201}}
    stage = part(0, "orders-api/prod", 0, 0.1, origin="AWS::ApiGateway::Stage", http=answered, subsegments=[call])
    service = part(2, "create-order", 0.004, 0.096, origin="AWS::Lambda", http={"response": {"status": 200}})
    function = part(3, "create-order", 0.006, 0.096, origin="AWS::Lambda::Function")
    return [
        {**stage, "trace_id": trace_id},
        {**service, "trace_id": trace_id, "parent_id": ids[1]},
        {**function, "trace_id": trace_id, "parent_id": ids[2], "subsegments": [invocation, overhead]},
    ]
