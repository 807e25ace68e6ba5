"""How often a module is imported, and as what."""

import sys

sys.imports = [*getattr(sys, "imports", []), __name__]


def handler(event, context):
    return [sys.imports, __name__, __spec__.name, __file__.rpartition("/")[2]]
