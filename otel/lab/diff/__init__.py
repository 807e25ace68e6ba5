"""Runs `lambda-latency diff` on many pairs: identical ones, of which none may fail, and changed ones."""
