"""The command `lambda-latency`: arguments in, commands run, an exit status out."""

from lambda_latency.cli.entry import main

__all__ = ["main"]
