"""Spans that upstream's instrumentations lack: connections, waits and untraced calls, one module for each library.

`instrument(module, tracer)`, or the function that the table of libraries names, runs once after a library's first
import and returns functions that undo it. No module is imported before. Their common code is in `opening`, `call` and
`connections`.
"""
