"""Who has a store open: each of its users holds a lock that only one who is alone can make his own.

A file in the store that no row names is either waste of a process that was killed, or about to be
named by one that is writing it. Only who knows that nobody else has the store open can tell.
"""

import contextlib
import fcntl
import os
import weakref
from pathlib import Path

NAME = "store.lock"


class UseLock:
    """Says that the store in ``directory`` is in use, until this object or the process is gone.

    ``alone`` tells whether nobody else had it open; then nobody can open it before ``share`` is
    called. The kernel gives a killed process's lock back, so there is nothing stale to clean up.
    """

    def __init__(self, directory: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        self._file = os.open(directory / NAME, flags, 0o600)
        weakref.finalize(self, os.close, self._file)
        self.alone = False
        # A file system without such locks is as good as not being alone.
        with contextlib.suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.alone = True
        if not self.alone:
            self.share()  # waits for one who was alone; he is quick

    def share(self) -> None:
        """Let others open the store, too."""
        with contextlib.suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_SH)
