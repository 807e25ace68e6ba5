"""Python imports this at its start: a process whose later objects lie at other addresses than those of other processes.

Where code and objects lie decides which of them share lines of the processor's caches. Two builds of the same code
then differ by up to a tenth of the client's wait, in every process alike.
"""

import os

MOST = 6000  # objects, up to 2 MB

KEPT = [bytes(16 + 2 * size) for size in os.urandom(int.from_bytes(os.urandom(2), "big") % MOST)]
