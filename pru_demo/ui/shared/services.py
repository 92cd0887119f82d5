"""The one store and the one engine of this web process.

Made at import, because Python guarantees that happens once however many sessions start together.
Neither costs anything yet: the engine starts its process with the first job.
"""

from pru_demo.jobs.client import engine_for
from pru_demo.paths import RECORDS
from pru_demo.store import open_store

STORE = open_store(RECORDS)
ENGINE = engine_for(STORE.directory)
