"""Accounts of requests: parts, calls and times, for one request and in columns for many."""
