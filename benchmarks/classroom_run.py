"""How long a classroom run takes from the command to the last number.

    python benchmarks/classroom_run.py

Runs PRU and Boundary Shrink with ten relearning epochs each, as a class would, in a process of
their own with an empty store, and writes ``benchmarks/results/classroom-run.json``.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import describe_machine

RESULT = Path(__file__).parent / "results" / "classroom-run.json"
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Run, print and write the result."""
    with tempfile.TemporaryDirectory() as directory:
        summary = Path(directory) / "summary.json"
        command = [
            *(sys.executable, "-m", "pru_demo", "run", "--forget", "9", "--preset", "classroom"),
            *("--methods", "pru,boundary_shrink", "--json", str(summary)),
        ]
        machine = describe_machine()
        started = time.perf_counter()
        subprocess.run(
            command,
            check=True,
            cwd=ROOT,
            env={**machine.environment, "PRU_STORE_DIR": f"{directory}/store"},
        )
        wall = time.perf_counter() - started
        runs = json.loads(summary.read_text())["runs"]
    result = {
        "what": "wall seconds of: python -m pru_demo run --preset classroom, both methods",
        "machine": machine.facts,
        "wall_seconds": round(wall, 1),
        "runs": [{k: run[k] for k in ("method", "variant", "seconds", "sizes")} for run in runs],
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
