"""Which span waits for which: parents, moves, clock skew, links between traces, and the critical path."""
