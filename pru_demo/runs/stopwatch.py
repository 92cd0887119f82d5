"""How long the stages of a run take, all its attempts together."""

import time
from collections.abc import Mapping


class Stopwatch:
    """Runs from the beginning, and adds what it measures to the seconds of earlier attempts."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._counted = 0.0
        self._sums = {"unlearn": 0.0, "relearn": 0.0, "total": 0.0}

    def go_on(self, earlier: Mapping[str, float]) -> None:
        """Add what earlier attempts took."""
        self._sums = {stage: taken + earlier[stage] for stage, taken in self._sums.items()}

    def count(self, stage: str | None, idle: float) -> None:
        """Count the time since the last call for ``stage``, or for none.

        ``idle`` is how much of all time so far counts for no stage anyway.
        """
        now = time.perf_counter() - idle
        if stage is not None:
            self._sums[stage] += now - self._counted
        self._counted = now

    def seconds(self) -> dict[str, float]:
        """So far, by stage and in total."""
        return {**self._sums, "total": self._sums["total"] + time.perf_counter() - self._started}
