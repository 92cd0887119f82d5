"""Which engine computes: ``PRU_ENGINE`` is ``local`` (the default), ``ray`` or ``ray://…``.

``ray`` starts Ray on this machine, an address joins a cluster that runs already. In both cases
queue, limits and journal are those of the engine process here; only the workers are Ray's.
"""

import os
from pathlib import Path

from pru_demo.runs.engine.home import engine_home
from pru_demo.runs.engine.local import LocalEngine
from pru_demo.runs.engine.protocol import Engine


def engine_for(store_directory: Path, *, bundled: bool = True) -> Engine:
    """The engine whose results go to the store in ``store_directory``.

    Without ``bundled`` its tasks do not see the records that ship with the application.

    Raises ValueError with a sentence if ``PRU_ENGINE`` is none of the above.
    """
    chosen = os.environ.get("PRU_ENGINE") or "local"
    if chosen == "local":
        options: list[str] = []
    elif chosen == "ray":
        options = ["--cluster", "local"]
    elif chosen.startswith("ray://"):
        options = ["--cluster", chosen]
    else:
        raise ValueError(f"PRU_ENGINE is {chosen!r}; set it to local, ray or ray://HOST:PORT.")
    options += ["--store", str(store_directory)]
    if not bundled:
        options.append("--without-bundle")
    return LocalEngine(engine_home(store_directory), options)
