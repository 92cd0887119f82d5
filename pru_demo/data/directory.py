"""The folder in which data sets lie that do not ship with the application."""

import os
from pathlib import Path

from pru_demo.data.idx import DamagedData

ENVIRONMENT_VARIABLE = "PRU_DATA_DIR"


def data_directory() -> Path:
    """``PRU_DATA_DIR``, else a folder in the user's data directory, which may not exist yet.

    Raises :class:`DamagedData` when ``PRU_DATA_DIR`` names no folder: a typing error must not look
    like missing data.
    """
    if chosen := os.environ.get(ENVIRONMENT_VARIABLE):
        directory = Path(chosen).expanduser()
        if not directory.is_dir():
            raise DamagedData(
                f"{ENVIRONMENT_VARIABLE} names {directory}, which is not a folder: create it, or "
                "change or unset the variable."
            )
        return directory
    from platformdirs import user_data_path

    return user_data_path("pru-demo") / "data"
