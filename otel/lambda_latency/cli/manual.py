"""The command's page for `man`, made from its help, so that it can miss nothing."""

from __future__ import annotations

import argparse

from lambda_latency.version import VERSION

__all__ = ["manual"]

HEAD = r""".TH LAMBDA\-LATENCY 1 "" "lambda\-latency {version}" "User Commands"
.SH NAME
lambda\-latency \- where a slow Lambda request spends its time
.SH SYNOPSIS
.B lambda\-latency
.I COMMAND
.RI [ OPTION " ...]"
.SH DESCRIPTION
"""
FOOT = r""".SH FILES
.TP
.B lambda\-latency.toml
Settings of a project: in the current folder, or in its nearest parent up to the repository's root.
.TP
.B pyproject.toml
The same in the table [tool.lambda\-latency].
.SH ENVIRONMENT
.TP
.B LAMBDA_LATENCY_*
A setting by its name in capitals, such as LAMBDA_LATENCY_THEIRS. It overrides the file; an option overrides both.
.TP
.B NO_COLOR
No colours.
"""


def manual(parser: argparse.ArgumentParser) -> str:
    """The page in the macros of man(7): a section for each command, with its options."""
    (commands,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    text = HEAD.format(version=_escaped(VERSION)) + _paragraphs(parser.description or "")
    text += ".SH COMMANDS\n" + "".join(
        f".TP\n.B {_escaped(one.dest)}\n{_escaped(one.help or '')}\n" for one in commands._choices_actions
    )
    for name, command in commands.choices.items():
        text += f'.SH "{_escaped(name.upper())}"\n{_paragraphs(command.description or "")}'
        text += "".join(_option(one) for one in command._actions if one.help != argparse.SUPPRESS)
    return text + ".SH EXIT STATUS\n" + _paragraphs((parser.epilog or "").partition("exit status: ")[2]) + FOOT


def _option(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else action.metavar or ("{" + ",".join(map(str, action.choices or ())) + "}")
    names = ", ".join(map(_escaped, action.option_strings))
    shown = f"\\fB{names}\\fR \\fI{_escaped(str(value))}\\fR" if names else f"\\fI{_escaped(str(value))}\\fR"
    return f".TP\n{shown}\n{_escaped((action.help or '').replace('%%', '%'))}\n"


def _paragraphs(text: str) -> str:
    """A description. Lines that are indented stay as they are; the others fill the page."""
    made = []
    for line in text.splitlines():
        if not line.strip():
            made.append(".PP")
        elif line.startswith(" "):
            made.append(f".nf\n{_escaped(line)}\n.fi")
        else:
            made.append(_escaped(line))
    return "".join(f"{one}\n" for one in made)


def _escaped(text: str) -> str:
    r"""A text of roff: `\` and `-` are written as such, and a line never begins with a request's mark."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
