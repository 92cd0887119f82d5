"""The machine a benchmark ran on: without it a number says nothing."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "streamlit", "numpy", "plotly", "umap-learn")


def machine_facts() -> dict[str, object]:
    """Processor, cores, versions and the load: to be asked *before* the measurement."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def write_result(path: Path, result: dict[str, Any]) -> None:
    """Write ``result`` to a file of JSON, and print it."""
    said = json.dumps(result, indent=1)
    path.write_text(said + "\n")
    print(said)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
