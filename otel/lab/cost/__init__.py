"""The cost of tracing: one handler with each way to trace it, compared with the bare handler."""
