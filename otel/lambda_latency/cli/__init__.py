"""The command `lambda-latency`: parses arguments, runs a command, returns an exit status."""

from lambda_latency.cli.entry import main

__all__ = ["main"]
