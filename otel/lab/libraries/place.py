"""Where a library's server is, for its calls and for what its spans have to say."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Ports of `localhost`: of the server, of a listener that never answers, and one that is closed."""

    port: int
    hole: int
    closed: int
    host: str = "localhost"
