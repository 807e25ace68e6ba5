"""Loading of trace files as breakdowns: in memory, in worker processes, or spilled to disk."""
