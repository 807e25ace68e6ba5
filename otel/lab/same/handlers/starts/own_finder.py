"""Has an import hook of its own, and code that is in no file."""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec


class Made(MetaPathFinder, Loader):
    def __init__(self):
        self.asked = []

    def find_spec(self, name, path=None, target=None):
        self.asked.append(name)
        return ModuleSpec(name, self) if name == "made_up" else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.VALUE = 42


FINDER = Made()
sys.meta_path.insert(0, FINDER)

import made_up  # noqa: E402


def handler(event, context):
    import wave  # noqa: F401

    return [made_up.VALUE, "wave" in FINDER.asked, type(sys.meta_path[0]).__name__]
