"""The fixtures of the example's own tests (`tests/`), for tests of its template that call its functions."""

from conftest import api, functions, listening, provider, template

__all__ = ["api", "functions", "listening", "provider", "template"]
