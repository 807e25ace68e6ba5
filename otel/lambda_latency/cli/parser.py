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

ABOUT = re.compile(r"argument (?P<name>\S+): (?P<reason>.*)", re.DOTALL)
CHOICE = re.compile(r"invalid choice: '?(?P<typed>[^']*)'?.*", re.DOTALL)
COLUMNS = 79
EXCLUSIVE = re.compile(r"not allowed with argument (?P<other>\S+)")
REQUIRED = "the following arguments are required: "
# What to do in place of options that several commands of earlier versions had.
REMOVED = {
    "--endpoint-url": "set the variable AWS_ENDPOINT_URL",
    "--print-policy": "lambda-latency policy COMMAND prints it",
    "-v": "write it before the command: lambda-latency -v COMMAND",
    "--verbose": "write it before the command: lambda-latency --verbose COMMAND",
    "-q": "this command prints no progress",
    "--quiet": "this command prints no progress",
    "--instrument": "set instrument in lambda-latency.toml, or the variable LAMBDA_LATENCY_INSTRUMENT",
    "--disable-authorizer": 'set authorizers = "off" in lambda-latency.toml, or LAMBDA_LATENCY_AUTHORIZERS=off',
    "--no-page": "write --page off",
}


class Parser(argparse.ArgumentParser):
    """A parser of one command's arguments, or of all commands.

    `continued` names a list argument that may continue after an option; argparse itself ends the list at an option.
    `overview` replaces the help that argparse makes.
    `removed` says what to do in place of an option, of a command, or of the argument PATH, that an earlier version had.
    `whole` makes the parser of all commands, for a hint about an option of another command.
    """

    continued = ""
    overview = ""
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
        first_word = next(iter(sys.argv[1:] if args is None else args), "")
        if first_word.startswith("-") and first_word not in ("-", "--"):
            self._check_option(first_word)  # reported before a missing argument
        options, unknown = super().parse_known_args(args, namespace)
        if self.continued and not any(word.startswith("-") for word in unknown):
            setattr(options, self.continued, [*getattr(options, self.continued), *unknown])
            unknown = []
        if unknown:
            self._check_option(unknown[0])
            if "PATH" in self.removed:
                self._fail("the argument PATH is gone", self.removed["PATH"])
            self._fail(f"{unknown[0]!r}: unexpected argument")
        return options, unknown

    def format_help(self) -> str:
        """Return the overview, or else the help that argparse makes."""
        return self.overview or super().format_help()

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help or version. argparse itself drops an error of writing, such as that of a full disk."""
        (file or sys.stderr).write(message)

    def _owners(self, option: str) -> str:
        """Return a hint that names the commands that have an option; empty if none has it."""
        owners = []
        for name, command in Parser.whole().commands().items():
            if option in command._option_string_actions:
                owners.append(name)
            elif any(option in action._option_string_actions for action in command.commands().values()):
                owners.append(f"{name} ACTION")
        return f": it is an option of {', '.join(owners)}" if owners else ""

    def commands(self) -> dict[str, Parser]:
        """Return the parsers of the commands below this one, by name."""
        choices = (action.choices for action in self._actions if isinstance(action, argparse._SubParsersAction))
        return dict(next(choices, {}))

    def error(self, message: str) -> NoReturn:
        """Print the error and how to see the usage; exits with status 2."""
        about = ABOUT.fullmatch(message)
        if about is None:
            self._fail(f"{message.removeprefix(REQUIRED)} is missing" if message.startswith(REQUIRED) else message)
        name, reason = about["name"], about["reason"]
        short_name = name.partition("/")[0]
        action = next((a for a in self._actions if name in (a.metavar, *a.option_strings)), None)
        exclusive = EXCLUSIVE.fullmatch(reason)
        if exclusive is not None:
            self._fail(f"{short_name} and {exclusive['other'].partition('/')[0]} cannot be combined",
                       "remove one of them")  # fmt: skip
        if reason == "expected one argument" and action is not None:
            value = action.metavar or "|".join(map(str, action.choices or ()))
            self._fail(f"{short_name} has no value", f"write {action.option_strings[-1]} {value}")
        choice = CHOICE.fullmatch(reason)
        if choice is not None and action is not None:
            self._fail_choice(name, choice["typed"], action)
        self._fail(f"{short_name} {reason}")

    def _fail_choice(self, name: str, typed: str, action: argparse.Action) -> None:
        """Report a value that is none of the choices, unless argparse knows no choices."""
        if action.choices is None:
            return
        if typed in self.removed:
            self._fail(f"the {name.lower()} {typed} is gone", self.removed[typed])
        choices = [str(choice) for choice in action.choices]
        similar = choices if action.option_strings else [*choices, *self._option_string_actions]
        near = _suggestion(typed, similar) or f": choose from {', '.join(choices)}"
        self._fail(f"there is no {name.lower()} {typed!r}{near}" if not action.option_strings else
                   f"{name} cannot be {typed!r}{near}")  # fmt: skip

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """Return the values of an argument. An empty value comes from an unset variable."""
        if action.nargs != argparse.PARSER and "" in arg_strings:
            name = action.option_strings[-1] if action.option_strings else action.metavar
            self._fail(f"{name} is empty", "check the variable that holds it")
        return super()._get_values(action, arg_strings)

    def _check_option(self, typed: str) -> None:
        """Fail if this is an option that the parser does not have."""
        name = typed.partition("=")[0]
        if name in self._option_string_actions or not typed.startswith("-"):
            return
        instead = self.removed.get(name) or (REMOVED.get(name) if " " in self.prog else None)
        if instead is not None:
            self._fail(f"the option {name} is gone", instead)
        hint = self._owners(name) or _suggestion(name, self._option_string_actions)
        self._fail(f"there is no option {name}{hint}")

    def _fail(self, message: str, todo: str = "") -> NoReturn:
        warn(f"{message}\n  {todo or f'{self.prog} --help shows the usage'}")
        sys.exit(USAGE)


def _columns() -> int:
    """Return the width of the terminal. argparse uses shutil, whose import takes a tenth of the time of `--help`."""
    try:
        return int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size().columns
    except (OSError, ValueError):
        return 80


def _suggestion(typed: str, names: Iterable[str]) -> str:
    """Return a suggestion such as `; did you mean report?`; empty if no name is similar. Dashes are not compared."""
    from lambda_latency.spelling import nearest_names

    by_bare_name = {name.lstrip("-"): name for name in names}
    near = nearest_names(typed.lstrip("-"), by_bare_name, cutoff=0.7)
    return f"; did you mean {by_bare_name[near[0]]}?" if near else ""
