"""The readers, a module for each format, and the writer of OTLP/JSON."""
