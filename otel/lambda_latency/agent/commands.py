"""The shell command that proves an answer: quoted for a shell, with the times that ages stood for."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from lambda_latency.agent.quoting import Names, quoted
from lambda_latency.text import instant_of

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 400  # characters


def shell(*words: str) -> str:
    """The words as a command line; a word that no reader would see as it is, such as one of two lines, is named."""
    told = [shlex.quote(one) if quoted(one, MOST) == f'"{one}"' else f"({quoted(one)}, not printable)" for one in words]
    return f"lambda-latency {' '.join(told)}"


def report_command(
    source: Sequence[str], names: Names | None = None, route: str | None = None, **options: str | int | None
) -> str:
    """`lambda-latency report SOURCE` with options; `source` has its first words, times are in nanoseconds.

    The route of a request is a stranger's text: it is in the command only if it may stand in a sentence.
    """
    words, after = [*source], ""
    if route is not None:
        raw = names.raw(route) if names is not None else route
        if names is None or names(raw) == f'"{raw}"':
            words += ["--route", raw]
        else:
            after = f" (with --route and the whole name of {names(raw)})"
    for name, value in options.items():
        if value is not None:
            told = instant_of(int(value)) if name in ("since", "until") else str(value)
            words += [f"--{name.replace('_', '-')}", f"{int(value) / 1e6:g}" if name == "slow" else told]
    return shell(*words) + after
