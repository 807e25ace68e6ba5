"""The answers of the tools, a module a kind."""
