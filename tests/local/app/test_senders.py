"""Which call has sent a message, by the id that its answer and the function's event have in common."""

from __future__ import annotations

import json
import threading

import pytest

from lambda_latency.local.app.senders import MOST, Senders
from lambda_latency.local.segments import TraceHeader

IDS = [f"{number:08}-0000-4000-8000-000000000000" for number in range(3)]
HEADER = TraceHeader.new(sampled=True)


def notification(name: str) -> bytes:
    """As SNS sends it."""
    return json.dumps({"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": name}}]}).encode()


def event(name: str) -> bytes:
    """As EventBridge sends it."""
    return json.dumps({"detail-type": "Ordered", "id": name}).encode()


def test_a_message_has_the_header_of_the_call_that_has_sent_it() -> None:
    """Of SNS in XML, of EventBridge in JSON; others have none."""
    senders = Senders()
    with senders.call("sns", str(HEADER)) as answers:
        answers.append(f"<PublishResult><MessageId>{IDS[0]}</MessageId></PublishResult>".encode())
    with senders.call("events", str(HEADER)) as answers:
        answers.append(json.dumps({"Entries": [{"EventId": IDS[1]}]}).encode())
    with senders.call("sqs", str(HEADER)) as answers:
        answers.append(json.dumps({"MessageId": IDS[2]}).encode())
    found = [senders.header(one) for one in (notification(IDS[0]), event(IDS[1]), notification(IDS[2]))]
    assert found == [HEADER, HEADER, None]


@pytest.mark.parametrize("other", [b"{}", b"[]", b"1", b"{", b'{"Records": [{"eventSource": "aws:sqs"}]}'])
def test_another_event_has_no_header(other: bytes) -> None:
    """Whatever it looks like."""
    assert Senders().header(other) is None


def test_a_message_that_is_faster_than_the_answer_waits_for_it() -> None:
    """The emulator hands over on a thread of its own."""
    senders = Senders()
    found: list[TraceHeader | None] = []
    with senders.call("sns", str(HEADER)) as answers:
        arrived = threading.Thread(target=lambda: found.append(senders.header(notification(IDS[0]))))
        arrived.start()
        answers.append(f"<MessageId>{IDS[0]}</MessageId>".encode())
    arrived.join()
    assert found == [HEADER]


def test_so_many_messages_are_remembered_and_no_more() -> None:
    """The oldest are forgotten."""
    senders = Senders()
    names = [f"{number:08}-0000-4000-8000-000000000000" for number in range(MOST + 1)]
    with senders.call("events", str(HEADER)) as answers:
        answers.append(json.dumps([{"EventId": name} for name in names]).encode())
    assert [senders.header(event(name)) for name in (names[0], names[-1])] == [None, HEADER]
