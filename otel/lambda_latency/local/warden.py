"""The warden: a small process that outlives the command and cleans up after it.

The command starts it first and holds the writing end of its standard input. However the command ends (return, Ctrl-C,
SIGTERM, SIGKILL, a crash), that pipe closes, and the warden then kills every process group and removes every folder
that was registered. It runs as a script, isolated and without site-packages, so that it is ready in milliseconds.

Lines on its standard input: `+<pgid>`, `-<pgid>`, `folder <path>`.
"""

import os
import shutil
import signal
import sys


def main() -> None:
    """Reads registrations until the pipe closes, then kills the remaining process groups and removes the folders."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    groups: set[int] = set()
    folders: list[str] = []
    for line in sys.stdin:
        word = line.strip()
        if word.startswith("+"):
            groups.add(int(word[1:]))
        elif word.startswith("-"):
            groups.discard(int(word[1:]))
        elif word.startswith("folder "):
            folders.append(word.removeprefix("folder "))
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # the latter is macOS's for a group of zombies
            continue
    for folder in folders:
        for place, _, _ in os.walk(folder):
            # A built artifact is read-only: its files could not be removed. (Importing pathlib would delay the start.)
            os.chmod(place, 0o700)  # noqa: PTH101
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
