"""Its handler comes from the module's own `__getattr__`."""


def __getattr__(name):
    if name == "handler":
        return lambda event, context: "made when asked for"
    raise AttributeError(f"nothing called {name}")
