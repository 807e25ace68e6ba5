"""What upstream's instrumentations leave out, one module a library: connections, waits, and calls nobody else traces.

Each has `instrument(module, tracer)`, which is called once after the library's first import and returns its undoings;
none is imported before. What they have in common is in `opening`, `call`, `within` and `sockets`.
"""
