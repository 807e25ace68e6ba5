"""Breakdowns of requests: components, calls and times, for one request and in columns for many."""
