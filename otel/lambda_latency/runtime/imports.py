"""A callback after a module's first import, whenever that is: while the handler loads or inside a later request."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = ["ImportHook"]


class ImportHook:
    """A finder in front of Python's own. It finds nothing itself: it gives a module's loader one more step."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Callable[[ModuleType], None]]] = {}
        self.running: set[str] = set()

    def when(self, name: str, callback: Callable[[ModuleType], None]) -> None:
        """Call back with the module once it is complete: now, or after its import. The callback must not raise.

        A module counts as complete if it was there before this hook was installed, or was watched from its beginning.
        """
        module = sys.modules.get(name)
        if module is None or name in self.running:
            self._waiting.setdefault(name, []).append(callback)
        else:
            callback(module)

    def watch(self, name: str) -> None:
        """Know whether this module is complete, from its beginning on."""
        self._waiting.setdefault(name, [])

    def install(self) -> None:
        """Begin to watch imports."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stop watching; callbacks that still wait are never called."""
        self._waiting.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Python's question to a finder: where is this module?"""
        if name not in self._waiting:
            return None
        for finder in sys.meta_path:
            # Not every finder has the method.
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = None if find is None else find(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = cast("Loader", Loading(spec.loader, self))
                return spec
        return None

    def imported(self, module: ModuleType) -> None:
        """A module that was waited for has run; of two imports at once the first one counts."""
        name = module.__name__
        # Python itself does this right after, and what a callback imports may look for the module there.
        parent, _, child = name.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], child, module)
        for callback in self._waiting.pop(name, ()):
            callback(module)


class Loading:
    """The loader of one module. To others it looks like the original, and it is gone before the module runs."""

    def __init__(self, loader: Loader, hook: ImportHook) -> None:
        self._loader = loader
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The original's own."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._hook.running.add(module.__name__)
        try:
            self._loader.exec_module(module)
        finally:  # one that has failed is waited for still: its importer may try again
            self._hook.running.discard(module.__name__)
        self._hook.imported(module)
