"""What the engine process writes down, so that a restart forgets neither jobs nor durations."""

import json
import logging
import statistics
from collections.abc import Iterator
from pathlib import Path

from pru_demo.files import replace_file
from pru_demo.jobs.link import from_json, to_json
from pru_demo.jobs.protocol import JobFacts

DURATIONS_KEPT = 9

_log = logging.getLogger(__name__)


class Journal:
    """One file per job in ``directory``; a job that is written is on disk as it was or as it is.

    A disk that takes nothing more is logged and costs the memory of a restart, not the jobs.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, job: JobFacts, *, sync: bool = True) -> None:
        """Remember ``job`` as it is now; without ``sync`` a power cut may lose the change."""
        _replace(self._path(job), to_json(job), sync)

    def forget(self, job: JobFacts) -> None:
        """Remember it no longer."""
        self._path(job).unlink(missing_ok=True)

    def read(self) -> list[JobFacts]:
        """All jobs, oldest first. What is damaged or of another version is logged and left out."""
        return sorted(self._jobs(), key=lambda job: job.number)

    def _jobs(self) -> Iterator[JobFacts]:
        for path in self._directory.glob("*.json"):
            try:
                job = from_json(path.read_bytes())
                if not isinstance(job, JobFacts) or not isinstance(job.number, int):
                    raise TypeError("it does not describe a job")
                yield job
            except (OSError, ValueError, TypeError) as error:
                _log.warning("The journal entry %s is damaged and left out: %s", path, error)
                path.unlink(missing_ok=True)

    def _path(self, job: JobFacts) -> Path:
        return self._directory / f"{job.id}.json"


class Durations:
    """How long jobs of each shape took on this machine: the base of every forecast."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds: dict[str, list[float]] = {}
        try:
            for shape, seconds in json.loads(file.read_text("utf-8")).items():
                self._seconds[str(shape)] = [float(each) for each in seconds]
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, AttributeError) as error:
            _log.warning("%s is damaged; durations are measured anew: %s", file, error)

    def expected(self, shape: str) -> float | None:
        """Median seconds of the last jobs of ``shape``, None if there was none."""
        known = self._seconds.get(shape)
        return statistics.median(known) if known else None

    def add(self, shape: str, seconds: float) -> None:
        """Another job of ``shape`` took ``seconds``."""
        self._seconds[shape] = [*self._seconds.get(shape, []), seconds][-DURATIONS_KEPT:]
        _replace(self._file, json.dumps(self._seconds).encode(), sync=False)


def _replace(path: Path, content: bytes, sync: bool) -> None:
    """As ``files.replace_file``, but a failure is logged."""
    try:
        replace_file(path, content, sync=sync)
    except OSError as error:
        _log.warning("%s cannot be written: %s", path, error)
