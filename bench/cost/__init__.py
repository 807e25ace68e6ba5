"""What tracing costs: one handler under each way to trace it, beside the same handler bare."""
