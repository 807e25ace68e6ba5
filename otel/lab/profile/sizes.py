"""The largest profile in X-Ray's limits: 10,000 requests as datagrams for the daemon, and as segment documents."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

from opentelemetry.sdk.trace import TracerProvider

from lambda_latency.local.xray.document import segment_document
from lambda_latency.runtime.deadline.own_lines import Place
from lambda_latency.runtime.deadline.profile import MOST_LINES, MOST_PLACES, Profile, Seen, profiles
from lambda_latency.runtime.deadline.running import Running
from lambda_latency.runtime.delivery.daemon import LARGEST
from lambda_latency.runtime.delivery.encoding import Encoder
from lambda_latency.runtime.redact.spans import Redaction
from lambda_latency.testing.sdk import span_of

__all__ = ["sizes"]

MOST_BYTES = 64_000  # of a segment document
MOST_RUNS = 256  # more than samples of 15 minutes, each at another place than the one before
RUNS = b"lambda.profile.runs"


def sizes(requests: int = 10_000) -> int:
    """Print the largest sizes; returns the number of requests that exceed a limit or lose their samples."""
    draw = random.Random(1)  # noqa: S311 - a draw, not a secret
    tracer, encoder = TracerProvider().get_tracer("lab"), Encoder(Redaction(None, 4096))
    profile_of = profiles(lines=True)
    sent = documents = wrong = 0
    for _ in range(requests):
        span = tracer.start_span("POST /orders")
        running = Running(span, threading.get_ident(), time.time() + 60)  # type: ignore[arg-type]
        span.set_attributes(largest(profile_of(running, None, time.time()), draw))
        span.end()
        [encoded] = encoder.encode([span], LARGEST)  # type: ignore[list-item]
        document = len(json.dumps(segment_document(span_of(span), ())).encode())  # type: ignore[arg-type]
        sent, documents = max(sent, encoded.size), max(documents, document)
        wrong += encoded.size > LARGEST or RUNS not in encoded.span or document > MOST_BYTES
    print(f"{requests:,} requests with the largest profile: at most {sent:,} bytes of {LARGEST:,} for the daemon, "
          f"{documents:,} of {MOST_BYTES:,} in X-Ray's document; {wrong} above a limit or without samples")  # fmt: skip
    return wrong


def largest(profile: Profile, draw: random.Random) -> dict[str, Any]:
    """The attributes of a profile with all that it may hold, in names that take three bytes a letter."""
    for number in range(MOST_PLACES):
        file, line = "日本" * 90 + f"/{draw.getrandbits(40)}.py", draw.randrange(99_999)
        place = Place(f"{file}:{line} {'計算' * 40} > ライブラリ.x", file, line)
        one = profile._seen.setdefault(place, Seen(place))
        one.seconds, one.waits, one.line = draw.random(), "network", "行" * 120 if number < MOST_LINES else ""
    seen = list(profile._seen.values())
    profile._runs = [[draw.choice(seen), draw.uniform(1, 99), draw.random(), 9.9] for _ in range(MOST_RUNS)]
    profile.stop()
    return profile.attributes()
