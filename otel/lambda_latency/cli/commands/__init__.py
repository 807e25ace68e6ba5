"""The commands, a module each: `add_parser` declares its arguments, `run` does it and returns the exit status.

A command imports what it needs when it runs: `--help` imports nothing but the standard library.
"""
