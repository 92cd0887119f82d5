"""How long a classroom run takes from the command to the last number.

    python benchmarks/classroom_run.py

Runs PRU and Boundary Shrink with ten relearning epochs each, as a class would, in a process of
their own with an empty store, and writes ``benchmarks/results/classroom-run.json``.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import RESULTS, machine_facts, write_result

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Run, print and write the result."""
    with tempfile.TemporaryDirectory() as directory:
        summary = Path(directory) / "summary.json"
        command = [
            *(sys.executable, "-m", "pru_demo", "run", "--forget", "9", "--preset", "classroom"),
            *("--methods", "pru,boundary_shrink", "--json", str(summary)),
        ]
        facts = machine_facts()
        started = time.perf_counter()
        environment = {**os.environ, "PRU_STORE_DIR": f"{directory}/store"}
        subprocess.run(command, check=True, cwd=ROOT, env=environment)
        wall = time.perf_counter() - started
        runs = json.loads(summary.read_text())["runs"]
    result = {
        "what": "wall seconds of: python -m pru_demo run --preset classroom, both methods",
        "machine": facts,
        "wall_seconds": round(wall, 1),
        "runs": [{k: run[k] for k in ("method", "variant", "seconds", "sizes")} for run in runs],
    }
    write_result(RESULTS / "classroom-run.json", result)


if __name__ == "__main__":
    main()
