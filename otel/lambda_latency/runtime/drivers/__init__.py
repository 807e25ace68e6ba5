"""Spans that upstream's instrumentations lack: connections, waits and untraced calls, one module for each library.

Each module has `instrument(module, tracer)`, which runs once after the library's first import and returns functions
that undo it. No module is imported before. Their common code is in `opening`, `call` and `connections`.
"""
