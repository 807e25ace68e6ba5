"""The environment of the libraries, which `make setup` knows nothing of: made under build/ from a lock of its own."""

from pathlib import Path

from lab.same.pythons import ROOT, prepare

LOCK = ROOT / "requirements" / "libraries.txt"
PYTHONS = ("3.13", "3.12", "3.11", "3.10")


def prepared(version: str = "") -> Path:
    """The interpreter of the libraries' environment: of this version, or of the newest that is here."""
    for candidate in [version] if version else PYTHONS:
        python = prepare("libraries", LOCK, candidate)
        if python is not None:
            return python
    raise SystemExit(f"no Python {version or ' or '.join(PYTHONS)} is here")
