"""The exit statuses of all commands, and their description in the help."""

FINE, FAILED, USAGE, GATE_FAILED, SOMETHING_SKIPPED, GATE_UNSURE, DISTURBED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130

EXIT_STATUSES = (
    "exit status: 0 fine, 1 failed or nothing readable, 2 usage, 3 a --fail-if\n"
    "condition was met or doctor found an error, 4 reported but something was\n"
    "skipped, 5 the traces cannot decide a condition, 6 nor can they, because the\n"
    "machine disturbed everything alike (3 beats 5 beats 6 beats 4), 130 Ctrl-C"
)
