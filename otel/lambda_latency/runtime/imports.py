"""Callbacks after the first import of a module, during init or in a later request."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from lambda_latency.runtime.harmless import failed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class ImportHook:
    """A finder before Python's own finders. It lets them find a module, and wraps the loader that they return."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Callable[[ModuleType], None]]] = {}
        self.running: set[str] = set()

    def on_import(self, name: str, callback: Callable[[ModuleType], None]) -> None:
        """Call `callback` with the module: now if it is imported, else after its import. What it raises is one line.

        A module in `sys.modules` is incomplete only if this hook has seen its import begin.
        """
        module = sys.modules.get(name)
        if module is None or name in self.running:
            self._waiting.setdefault(name, []).append(callback)
        else:
            call(callback, module)

    def watch(self, name: str) -> None:
        """Record the begin of this module's import, so that `on_import` knows whether the module is complete."""
        self._waiting.setdefault(name, [])

    def install(self) -> None:
        """Start to watch imports."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stop watching. Pending callbacks are never called."""
        self._waiting.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return, as a finder does, the spec of a watched module, with a wrapped loader; None for other modules."""
        if name not in self._waiting or self not in sys.meta_path:
            return None
        # Python has called the finders before this one.
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            find = getattr(finder, "find_spec", None)  # not every finder has the method
            spec: ModuleSpec | None = None if find is None else find(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = cast("Loader", Loading(spec.loader, self))
                return spec
        return None

    def imported(self, module: ModuleType) -> None:
        """A watched module has been imported. Of two concurrent imports, the first one counts."""
        name = module.__name__
        # Python does this right after; the imports of a callback may need it already.
        parent, _, child = name.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], child, module)
        for callback in self._waiting.pop(name, ()):
            call(callback, module)


def call(callback: Callable[[ModuleType], None], module: ModuleType) -> None:
    """Call a callback inside of an import of the function's, which goes on whatever the callback raises."""
    try:
        callback(module)
    except Exception as error:  # noqa: BLE001 - the import goes on, whatever fails
        failed(f"tracing {module.__name__}", error)


class Loading:
    """A wrapper of a module's loader. It replaces itself by the original before the module runs."""

    def __init__(self, loader: Loader, hook: ImportHook) -> None:
        self._loader, self._hook = loader, hook

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as the original loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._hook.running.add(module.__name__)
        try:
            self._loader.exec_module(module)
        finally:
            # A failed module stays watched, because its importer may try again
            self._hook.running.discard(module.__name__)
        self._hook.imported(module)
