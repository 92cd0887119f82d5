"""The store that tasks put their results into."""

import os
from functools import lru_cache

from pru_demo.paths import RECORDS
from pru_demo.store import Store, open_store

# Set in an engine that makes the bundled records anew: what is to be made must not be found.
WITHOUT_BUNDLE = "PRU_WITHOUT_BUNDLE"


# Set by a worker that has no disk in common with the engine: see ``ray_worker``.
relay: Store | None = None


def worker_store() -> Store:
    """The store that results go to."""
    return relay or own_store()


@lru_cache(maxsize=1)
def own_store() -> Store:
    """The store of this machine, opened once per process."""
    return open_store(None if os.environ.get(WITHOUT_BUNDLE) else RECORDS)
