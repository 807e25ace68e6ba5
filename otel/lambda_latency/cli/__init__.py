"""The command `lambda-latency`: parses arguments, runs a command, returns an exit status."""

try:
    from lambda_latency.cli.entry import main
except KeyboardInterrupt:  # Ctrl-C before `main` handles it
    raise SystemExit(130) from None

__all__ = ["main"]
