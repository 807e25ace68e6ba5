"""The commands, one module each: `add_parser` declares the arguments, `run` returns the exit status.

A command imports what it needs when it runs: `--help` imports nothing but the standard library.
"""
