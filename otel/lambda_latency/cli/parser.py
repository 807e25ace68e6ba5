"""Extends argparse: errors that begin with their cause, suggestions for typos, no abbreviated options.

argparse is used because it imports in a third of the time of click, and because the functions of `arguments` give typed
values.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import textwrap
from functools import partial
from types import MappingProxyType

from lambda_latency.cli.exit_statuses import USAGE
from lambda_latency.cli.messages import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, ClassVar, NoReturn

ABOUT = re.compile(r"argument (?P<name>\S+): (?P<what>.*)", re.DOTALL)
CHOICE = re.compile(r"invalid choice: '?(?P<typed>[^']*)'?.*", re.DOTALL)
COLUMNS = 79
EXCLUSIVE = re.compile(r"not allowed with argument (?P<other>\S+)")
REQUIRED = "the following arguments are required: "


class Parser(argparse.ArgumentParser):
    """A parser of one command's arguments, or of all commands.

    `rest` names a list argument that may continue after an option; argparse itself ends the list at an option.
    `removed` says what to do in place of an option that an earlier version had.
    `whole` makes the parser of all commands, for a hint about an option of another command.
    """

    rest = ""
    removed: Mapping[str, str] = MappingProxyType({})
    whole: ClassVar[Callable[[], Parser]]

    def __init__(self, prog: str, *, description: str, **options: Any) -> None:
        text = description if "\n" in description else textwrap.fill(description, COLUMNS)
        formatter = partial(argparse.RawDescriptionHelpFormatter, width=_columns() - 2)
        super().__init__(prog, description=text, allow_abbrev=False, formatter_class=formatter, **options)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse as argparse does, but report an unknown argument with this command's usage, not the top level's."""
        first = next(iter(sys.argv[1:] if args is None else args), "")
        if first.startswith("--") and first != "--":  # an unknown option is reported before a missing argument
            self._know(first)
        found, unknown = super().parse_known_args(args, namespace)
        if self.rest and not any(one.startswith("-") for one in unknown):
            setattr(found, self.rest, [*getattr(found, self.rest), *unknown])
            unknown = []
        if unknown:
            self._know(unknown[0])
            self._fail(f"{unknown[0]!r}: unexpected argument")
        return found, unknown

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help or version. argparse itself drops an error of writing, such as that of a full disk."""
        (file or sys.stderr).write(message)

    def _owners(self, option: str) -> str:
        """A hint that names the commands that have an option; empty if none or all of them have it."""
        parsers = next(one.choices for one in Parser.whole()._actions if isinstance(one, argparse._SubParsersAction))
        found = [name for name, one in parsers.items() if option in one._option_string_actions]
        return f": it is an option of {', '.join(found)}" if found and len(found) < len(parsers) else ""

    def error(self, message: str) -> NoReturn:
        """Print the error and how to see the usage; exits with status 2."""
        found = ABOUT.fullmatch(message)
        if found is None:
            self._fail(_missing(message) if message.startswith(REQUIRED) else message)
        name, what = found["name"], found["what"]
        action = next((one for one in self._actions if name in (one.metavar, *one.option_strings)), None)
        wrong = CHOICE.fullmatch(what)
        other = EXCLUSIVE.fullmatch(what)
        if other is not None:
            self._fail(f"{name.partition('/')[0]} and {other['other'].partition('/')[0]} cannot be combined",
                       "remove one of them")  # fmt: skip
        if what == "expected one argument" and action is not None:
            value = action.metavar or "|".join(map(str, action.choices or ()))
            self._fail(f"{name.partition('/')[0]} has no value", f"write {action.option_strings[-1]} {value}")
        if wrong is None or action is None or action.choices is None:
            self._fail(f"{name.partition('/')[0]} {what}")
        choices = [str(choice) for choice in action.choices]
        known = choices if action.option_strings else [*choices, *self._option_string_actions]
        near = _suggestion(wrong["typed"], known) or f": choose from {', '.join(choices)}"
        self._fail(f"there is no {name.lower()} {wrong['typed']!r}{near}" if not action.option_strings else
                   f"{name} cannot be {wrong['typed']!r}{near}")  # fmt: skip

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """The values of an argument. An empty value comes from an unset variable."""
        if action.nargs != argparse.PARSER and "" in arg_strings:
            name = action.option_strings[-1] if action.option_strings else action.metavar
            self._fail(f"{name} is empty", "check the variable that holds it")
        return super()._get_values(action, arg_strings)

    def _know(self, typed: str) -> None:
        name = typed.partition("=")[0]
        if name in self.removed:
            self._fail(f"the option {name} is gone", self.removed[name])
        if typed.startswith("-") and name not in self._option_string_actions:
            hint = self._owners(name) or _suggestion(name, self._option_string_actions)
            self._fail(f"there is no option {name}{hint}")

    def _fail(self, what: str, todo: str = "") -> NoReturn:
        warn(f"{what}\n  {todo or f'{self.prog} --help shows the usage'}")
        sys.exit(USAGE)


def _columns() -> int:
    """The width of the terminal in columns. argparse uses shutil, whose import takes a tenth of `--help`."""
    try:
        return int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size().columns
    except (OSError, ValueError):
        return 80


def _suggestion(typed: str, known: Iterable[str]) -> str:
    """A suggestion such as `; did you mean report?`; empty if no known name is similar. Dashes are not compared."""
    from lambda_latency.spelling import nearest_names

    names = {name.lstrip("-"): name for name in known}
    near = nearest_names(typed.lstrip("-"), names, cutoff=0.7)
    return f"; did you mean {names[near[0]]}?" if near else ""


def _missing(message: str) -> str:
    return f"{message.removeprefix(REQUIRED)} is missing"
