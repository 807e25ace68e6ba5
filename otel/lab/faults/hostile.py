"""Headers as an attacker makes them, and tracing headers as Lambda never should."""

import random
from typing import Any

TRACE, SEGMENT = "674385f00123456789abcdef01234567", "0123456789abcdef"
FULL = f"1-{TRACE[:8]}-{TRACE[8:]}"

MALFORMED = (
    "", ";", "=", "Root", "Root=", f"Parent={SEGMENT};Sampled=1", f"Root=1-{TRACE};Parent={SEGMENT};Sampled=1",
    f"Root=2-{TRACE[:8]}-{TRACE[8:]};Parent={SEGMENT};Sampled=1", f"Root={FULL}0;Parent={SEGMENT};Sampled=1",
    f"Root={FULL[:-1]};Parent={SEGMENT};Sampled=1", f"Root={FULL[:-1]}g;Parent={SEGMENT};Sampled=1",
    f"Root=1-00000000-{'0' * 24};Parent={SEGMENT};Sampled=1", f"Root={FULL};Parent=0000000000000000;Sampled=1",
    f"Root={FULL};Parent=123;Sampled=1", f"Root={FULL};Parent={SEGMENT}{SEGMENT};Sampled=1",
    f"Root={FULL};Parent=xyzxyzxyzxyzxyzx;Sampled=1", f"root={FULL};parent={SEGMENT};sampled=1",
    f"00-{TRACE}-{SEGMENT}-01", "Root=1-" + "a" * 4096, f"Root={FULL}&Parent={SEGMENT}&Sampled=1",
    f"Self={FULL};Lineage=1:abcdef12:0",
)  # fmt: skip
"""None of these names a trace whose requests are recorded."""

NAMES = ("traceparent", "tracestate", "baggage", "X-Amzn-Trace-Id", "x-amzn-trace-id", "Traceparent", "b3",
         "X-B3-TraceId", "X-B3-Sampled", "uber-trace-id", "Host", "User-Agent", "Cookie", "Forwarded")  # fmt: skip


def hostile(draw: random.Random) -> dict[str, Any]:
    """Headers as an attacker makes them: whole, nearly whole, huge, of the wrong type."""

    def some(digits: int) -> str:
        return "".join(draw.choice("0123456789abcdef") for _ in range(digits))

    def value() -> Any:
        return draw.choice([
            f"00-{some(32)}-{some(16)}-0{draw.randrange(4)}",
            f"{some(2)}-{draw.choice([TRACE, some(32)])}-{some(16)}-{some(2)}-{some(4)}",
            f"Root=1-{some(8)}-{some(24)};Parent={some(16)};Sampled={draw.choice('01?x')}",
            f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={some(16)};Sampled=0",
            f"Self=1-{some(8)}-{some(24)};Root=1-{some(8)}-{some(24)}",
            "k=" + "v" * draw.choice([1, 8192, 1_000_000]),
            "".join(chr(draw.randrange(1, 0xD800)) for _ in range(draw.randrange(60))),
            "",
            draw.choice([None, 7, 1.5, True, [some(32)], {"a": some(16)}, b"00"]),
        ])  # fmt: skip

    return {draw.choice(NAMES): value() for _ in range(draw.randrange(1, 8))}
