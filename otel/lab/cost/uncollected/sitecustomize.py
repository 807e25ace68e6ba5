"""Python imports this at its start: a process without garbage collections."""

import gc

gc.disable()
