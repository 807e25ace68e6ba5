"""An account to ask: the fake of X-Ray, and the function's own code in front of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambda_latency.alarm.answer import Answerer
from lambda_latency.alarm.event import read_event
from lambda_latency.alarm.message import Message, put_page
from lambda_latency.alarm.records import Records
from lambda_latency.alarm.sinks import Topic as TopicSink
from lambda_latency.fetch import Account, Place
from tests.alarm.cloud import REGION, Bucket, Topic
from tests.fetch.conftest import Start, start  # noqa: F401 - a fixture
from tests.fetch.standin import KNOWN, XRay
from tests.latency.system import THEIRS

ARN = "arn:aws:sns:us-east-1:123456789012:alarms"


@dataclass
class Ringing:
    """The function's code, its bucket and its topic."""

    account: Account
    bucket: Bucket = field(default_factory=Bucket)
    topic: Topic = field(default_factory=Topic)
    now_s: float = 1_000_000.0
    left_s: float = 60.0
    more: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, event: Mapping[str, Any]) -> Message | None:
        """Answer an event."""
        answerer = Answerer(
            account=self.account,
            records=Records(self.bucket, "pages", lambda: self.now_s),
            sinks={"topic": TopicSink(self.topic, ARN), **self.more},
            page=lambda body: put_page(self.bucket, "pages", body),
            left_s=lambda: self.left_s,
            analysis_options=THEIRS,
        )
        return answerer.answer(read_event(event))


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the fake knows."""
    for name, value in {"AWS_ACCESS_KEY_ID": KNOWN, "AWS_SECRET_ACCESS_KEY": "secret", "NO_PROXY": "*"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


@pytest.fixture
def ringing() -> Iterator[Callable[[XRay], Ringing]]:
    """The function's code in front of an X-Ray, which is closed at the end."""
    with ExitStack() as stack:

        def make(xray: XRay, **more: Any) -> Ringing:
            stack.enter_context(closing(xray))
            return Ringing(Account(Place(region=REGION, endpoint_url=xray.url)), **more)

        yield make
