"""Leaves while it is imported."""

import sys

print("leaving", flush=True)
sys.exit(3)
