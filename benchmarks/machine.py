"""The machine a benchmark ran on: without it a number says nothing."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("torch", "streamlit", "numpy", "plotly", "umap-learn")


@dataclass(frozen=True)
class Machine:
    """Facts for the result file, and the environment to start children with."""

    facts: dict[str, object]
    environment: dict[str, str]


def describe_machine() -> Machine:
    """Processor, cores, versions and the load *before* the measurement."""
    facts: dict[str, object] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }
    return Machine(facts, dict(os.environ))


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
