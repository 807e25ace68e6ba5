"""Programs in Python for the PATH of a test."""

import sys


def python_program(source: str) -> str:
    """An executable file's text. `#!` takes no interpreter whose path has a space: the shell starts it."""
    return f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
'''
{source}"""
