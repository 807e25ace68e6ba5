"""The exit statuses of all commands. The help of a command names those that only it has."""

FINE, FAILED, USAGE, GATE_FAILED, SOMETHING_SKIPPED, GATE_UNSURE, DISTURBED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130
