"""The one store and the one engine of this web process.

Made at import, because Python guarantees that happens once however many sessions start together.
Neither costs anything yet: the engine starts its process with the first job.
"""

from pru_demo.experiment.migration import open_results
from pru_demo.jobs.client import engine_for

STORE = open_results()
ENGINE = engine_for(STORE.directory)
