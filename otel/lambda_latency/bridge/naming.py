"""Names by patterns, and trace ids, for code that creates its own."""

from __future__ import annotations

import fnmatch
import os
import re
import time


class DefaultDynamicNaming:
    """Names a request after its host if that matches a pattern (`*` and `?`), else `fallback`."""

    def __init__(self, pattern: str, fallback: str) -> None:
        self._pattern = pattern
        self._fallback = fallback

    def get_name(self, host_name: str) -> str:
        """The name of a request to this host."""
        return host_name if wildcard_match(self._pattern, host_name) else self._fallback


class TraceId:
    """A new trace id in X-Ray's format: `1-5759e988-bd862e3fe1be46a994272793`."""

    VERSION = "1"
    DELIMITER = "-"

    def __init__(self) -> None:
        self.start_time = int(time.time())
        self._number = os.urandom(12).hex()

    def to_id(self) -> str:
        """The id as a text."""
        return self.DELIMITER.join((self.VERSION, format(self.start_time, "x"), self._number))


def wildcard_match(pattern: str | None, text: str | None, case_insensitive: bool = True) -> bool:
    """Whether a text matches a pattern of `*` and `?`; False if either is None."""
    if pattern is None or text is None:
        return False
    plain = fnmatch.translate(pattern.replace("[", "[[]"))
    return re.match(plain, text, re.IGNORECASE if case_insensitive else 0) is not None
