"""Loading of trace files as accounts: in memory, in worker processes, or spilled to disk."""
