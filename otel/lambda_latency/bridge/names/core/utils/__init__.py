"""Utilities: patterns, SQS messages, stacks."""
