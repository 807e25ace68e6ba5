"""For all tests: what pytest may not reach, the functions in the sandbox may not reach either."""

from __future__ import annotations

import os

os.environ["LAMBDA_LATENCY_LOCAL_NETWORK"] = "loopback"
