"""The exit statuses of all commands, and their description in the help."""

__all__ = ["EXIT_STATUSES", "FAILED", "FINE", "GATE_FAILED", "INTERRUPTED", "SOMETHING_SKIPPED", "USAGE"]

FINE, FAILED, USAGE, GATE_FAILED, SOMETHING_SKIPPED, INTERRUPTED = 0, 1, 2, 3, 4, 130

EXIT_STATUSES = (
    "exit status: 0 fine, 1 failed or nothing readable, 2 usage, 3 a --fail-if\n"
    "condition was met or doctor found an error, 4 reported but something was\n"
    "skipped, 130 Ctrl-C"
)
