"""What a user allows an assistant, and the settings of the reports that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["AccountOptions", "Options"]


@dataclass(frozen=True, slots=True)
class AccountOptions:
    """The AWS account that tools may read, and the most US dollars that one call may cost."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    most_usd: float = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """What the user allows, and the settings of a report: patterns of owners, where a request begins, what is slow."""

    roots: tuple[Path, ...]
    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    begin: str = "root"
    slow_ns: int | None = None
    ignored: tuple[str, ...] = ()
    account: AccountOptions | None = None
