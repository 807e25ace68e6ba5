"""What a deployment decides, read from the environment at init: a wrong setting fails a deployment, not a request."""

import functools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["Settings", "SettingsError", "settings"]

_DEFAULT_TIMEOUT_MS = 3_000
_LONGEST_TIMEOUT_MS = 29_000  # API Gateway gives up after 29 seconds: nobody would hear a later answer
_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")  # DynamoDB's own rule for names of tables
_MILLISECONDS = re.compile(r"[0-9]{1,9}")  # int() alone would also take '+3', ' 3 ' and '1_000'


class SettingsError(Exception):
    """The environment cannot be used; the message names every variable that is wrong."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the functions, checked."""

    orders_table: str
    payments_url: str
    payments_timeout_s: float

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """The settings in `environ`. Raises SettingsError that names all wrong variables, not only the first."""
        problems = [
            problem
            for name, check, default in (
                ("ORDERS_TABLE", _table_problem, ""),
                ("PAYMENTS_URL", _url_problem, ""),
                ("PAYMENTS_TIMEOUT_MS", _timeout_problem, str(_DEFAULT_TIMEOUT_MS)),
            )
            if (problem := check(environ.get(name, default)))
        ]
        if problems:
            raise SettingsError("; ".join(problems))
        return cls(
            orders_table=environ["ORDERS_TABLE"],
            payments_url=environ["PAYMENTS_URL"].rstrip("/"),
            payments_timeout_s=int(environ.get("PAYMENTS_TIMEOUT_MS", _DEFAULT_TIMEOUT_MS)) / 1_000,
        )


@functools.cache
def settings() -> Settings:
    """The settings of this process, read on the first call, which is while a module of ours is imported."""
    return Settings.read(os.environ)


def _table_problem(seen: str) -> str | None:
    if _TABLE_NAME.fullmatch(seen):
        return None
    return f"ORDERS_TABLE must be the name of a DynamoDB table, 3 to 255 letters, digits or _ . -, got {_got(seen)}"


def _url_problem(seen: str) -> str | None:
    right = "PAYMENTS_URL must be an http or https address such as https://payments.example.com/v1"
    if "@" in seen:
        return f"{right}, without user name or password"  # what was seen may hold one: it is not repeated in a log
    try:
        parts = urlsplit(seen)
        port = parts.port
    except ValueError:
        return f"{right}, got {_got(seen)}"
    whole = parts.scheme in ("http", "https") and parts.hostname and port != 0
    if not whole or parts.query or parts.fragment or not seen.isprintable() or " " in seen:
        return f"{right}, got {_got(seen)}"
    return None


def _timeout_problem(seen: str) -> str | None:
    if _MILLISECONDS.fullmatch(seen) and 1 <= int(seen) <= _LONGEST_TIMEOUT_MS:
        return None
    return (
        f"PAYMENTS_TIMEOUT_MS must be a whole number of milliseconds from 1 to {_LONGEST_TIMEOUT_MS}, got {_got(seen)}"
    )


def _got(seen: str) -> str:
    return repr(seen) if seen else "nothing"
