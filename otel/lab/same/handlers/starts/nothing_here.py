"""Has no handler."""

VALUE = 1
