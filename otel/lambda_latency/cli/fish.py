"""The completion of the command in the shell fish, for which shtab has no form."""

from __future__ import annotations

import argparse

__all__ = ["fish_script"]

HEAD = "# Completion of {prog} in fish.\ncomplete -c {prog} -f\n"
FIRST = "__fish_use_subcommand"


def fish_script(parser: argparse.ArgumentParser) -> str:
    """A script that completes commands, their options, the choices of these, and files for arguments."""
    prog, lines = parser.prog, [HEAD.format(prog=parser.prog)]
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            lines.append(_line(prog, FIRST, _option(action)))
            continue
        summaries = {one.dest: one.help or "" for one in action._choices_actions}
        lines += [_line(prog, FIRST, f"-a {_quoted(one)} -d {_quoted(text)}") for one, text in summaries.items()]
        for name, command in action.choices.items():
            where = f"__fish_seen_subcommand_from {name}"
            lines += [_line(prog, where, _option(one)) for one in command._actions if one.help != argparse.SUPPRESS]
    return "".join(lines)


def _line(prog: str, where: str, what: str) -> str:
    return f"complete -c {prog} -n {_quoted(where)} {what}\n"


def _option(action: argparse.Action) -> str:
    """An option or an argument, with its values: a choice, else files."""
    names = [f"-l {one[2:]}" if one.startswith("--") else f"-s {one[1:]}" for one in action.option_strings]
    values = []
    if action.nargs != 0:
        chosen = action.choices and f"-x -a {_quoted(' '.join(map(str, action.choices)))}"
        values = [chosen or "-r -F"] if names else [chosen.removeprefix("-x ") if chosen else "-F"]
    text = (action.help or "").replace("%%", "%")
    return " ".join([*names, *values, *([f"-d {_quoted(text)}"] if names else [])])


def _quoted(text: str) -> str:
    r"""A word of fish in single quotes, where only `\` and `'` are special."""
    return "'" + text.replace("\\", r"\\").replace("'", r"\'") + "'"
