"""Runs an app: the system, and the commands that use it."""
