"""Real processes, really killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from pru_demo.jobs.client import Engine
from pru_demo.jobs.launch import LOG, holder, runtime_directory
from pru_demo.jobs.protocol import RECENT_JOBS, Cancelled, EngineUnavailable, Job, JobFailed
from pru_demo.paths import ROOT

ONE_SLOT = ["--slots", "1"]
TASKS = "tests.jobs.tasks"
PATIENCE = 30.0  # seconds until a test that hangs fails; nothing here takes nearly as long
unused = count()


@pytest.fixture(scope="module", params=["local", "ray"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """The contract holds for both kinds of workers."""
    folder = tmp_path_factory.mktemp(request.param)
    options = [*ONE_SLOT, "--store", str(folder / "store")]
    if request.param == "ray":
        pytest.importorskip("ray", reason="requirements-cluster.txt is not installed")
        options += ["--cluster", "local"]
    engine = Engine(folder / "home", options)
    yield engine
    engine.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "engines" / "home"


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    engine = Engine(home, ONE_SLOT)
    yield engine
    engine.close()


def submit(engine: Engine, task: str, **arguments: object) -> Job:
    """As batch, so that no limit per visitor applies."""
    key = f"{task} {next(unused)}"
    return engine.submit(f"{TASKS}:{task}", arguments, key=key, priority="batch")


def result(job: Job) -> object:
    return job.future.result(PATIENCE)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def started_by(path: Path) -> int:
    """The process id that a task wrote when it began."""
    until(path.exists)
    return int(path.read_text())


def server_of(home: Path) -> int:
    """The engine process of ``home``."""
    pid = holder(home)
    assert pid, "signals to process 0 reach this one"
    return pid


def state_and_parent(pid: int) -> tuple[str, int]:
    """From /proc: "Z" is a process that ended and was not waited for; "" is none at all."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "", 0
    return fields[0], int(fields[1])


def alive(pid: int) -> bool:
    return state_and_parent(pid)[0] not in ("", "Z")


def children(pid: int) -> list[int]:
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [child for child in pids if state_and_parent(child)[1] == pid]


@pytest.fixture
def blocker(shared: Engine, tmp_path: Path) -> Iterator[Job]:
    """A job that occupies the only slot until the test ends."""
    release = tmp_path / "release-blocker"
    job = submit(shared, "wait", started=str(tmp_path / "blocker"), release=str(release))
    started_by(tmp_path / "blocker")
    yield job
    release.touch()
    result(job)


def test_events_arrive_complete_and_in_order_whatever_the_task_prints(shared) -> None:
    job = submit(shared, "count", to=200)
    assert result(job) == list(range(200))
    events = job.events()
    assert [event.number for event in events] == list(range(1, 201))
    assert [event.data for event in events] == [{"step": step} for step in range(1, 201)]
    assert {event.attempt for event in events} == {1}
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert job.events(after=198) == events[198:]
    assert job.events(after=200) == []


def test_a_finished_job_knows_its_times_and_state(shared) -> None:
    before = time.time()
    job = submit(shared, "pid")
    result(job)
    assert job.state == "done"
    assert job.position == 0
    assert job.started is not None
    assert job.finished is not None
    assert before <= job.started <= job.finished <= time.time()


def test_events_are_seen_while_the_task_runs(shared, blocker: Job) -> None:
    until(lambda: len(blocker.events()) >= 3)
    assert blocker.state == "running"


def test_a_worker_is_used_again(shared) -> None:
    assert result(submit(shared, "pid")) == result(submit(shared, "pid"))


@pytest.mark.parametrize("value", [None, {"a": [1.5, "ő", True]}, "line\nbreak", "x" * 1_000_000])
def test_arguments_and_results_of_any_size_pass_unchanged(shared, value: object) -> None:
    assert result(submit(shared, "echo", value=value)) == value


def test_arguments_that_are_not_json_are_refused_at_once(shared) -> None:
    with pytest.raises(TypeError):
        submit(shared, "echo", value={1, 2})
    assert all(job.state != "queued" for job in shared.jobs())


def test_cancelling_stops_a_reporting_task_and_keeps_its_worker(shared, tmp_path: Path) -> None:
    job = submit(shared, "wait", started=str(tmp_path / "s"), release=str(tmp_path / "never"))
    worker = started_by(tmp_path / "s")
    job.cancel(grace=PATIENCE)
    with pytest.raises(Cancelled):
        result(job)
    assert job.state == "cancelled"
    assert result(submit(shared, "pid")) == worker


def test_a_task_that_asks_may_clean_up_before_it_leaves(shared, tmp_path: Path) -> None:
    job = submit(shared, "clean_up", trace=str(tmp_path / "trace"))
    until((tmp_path / "trace.started").exists)
    job.cancel(grace=PATIENCE)
    with pytest.raises(Cancelled):
        result(job)
    assert (tmp_path / "trace").read_text() == "in order"


def test_a_deaf_task_is_killed_after_its_grace_and_the_next_job_runs(shared, tmp_path) -> None:
    job = submit(shared, "deaf", started=str(tmp_path / "s"))
    worker = started_by(tmp_path / "s")
    job.cancel(grace=0.1)
    with pytest.raises(Cancelled):
        result(job)
    until(lambda: not alive(worker))
    assert result(submit(shared, "pid")) != worker


def test_cancelling_an_ended_job_changes_nothing(shared) -> None:
    job = submit(shared, "pid")
    result(job)
    job.cancel(grace=0)
    result(submit(shared, "pid"))
    assert job.state == "done"


def test_queued_jobs_have_positions_and_can_be_cancelled(shared, blocker: Job, tmp_path) -> None:
    log, release = tmp_path / "log", tmp_path / "release-blocker"
    first, second, third = (
        submit(shared, "log_run", log=str(log), release=str(release)) for _ in range(3)
    )
    until(lambda: blocker.state == "running")
    assert [job.position for job in (blocker, first, second, third)] == [0, 1, 2, 3]

    second.cancel()
    with pytest.raises(Cancelled):
        result(second)
    until(lambda: [job.position for job in (first, second, third)] == [1, 0, 2])

    release.touch()
    assert result(first) == result(third) == "result"
    assert first.started is not None
    assert third.started is not None
    assert first.started <= third.started
    assert log.read_text() == "run\nrun\n", "the cancelled one never ran"


def test_identical_keys_are_computed_once_while_in_flight(shared, blocker: Job, tmp_path) -> None:
    log, release = tmp_path / "log", tmp_path / "release-blocker"
    arguments = {"log": str(log), "release": str(release)}
    jobs = [
        shared.submit(f"{TASKS}:log_run", arguments, key="same", priority="batch") for _ in range(5)
    ]
    assert all(job is jobs[0] for job in jobs)
    assert shared.job("same") is jobs[0]

    release.touch()
    assert result(jobs[0]) == "result"
    assert log.read_text() == "run\n"
    assert shared.job("same") is jobs[0], "a reloaded page finds the ended job"

    again = shared.submit(f"{TASKS}:log_run", arguments, key="same", priority="batch")
    assert again is not jobs[0]
    result(again)
    assert log.read_text() == "run\nrun\n"


def test_ended_jobs_are_remembered_but_not_for_ever(shared) -> None:
    jobs = [submit(shared, "echo", value=n) for n in range(RECENT_JOBS + 1)]
    for job in jobs:
        result(job)
    assert shared.jobs() == jobs[1:]
    assert shared.job(jobs[0].key) is None


def test_an_exception_becomes_one_sentence_and_its_trace_goes_to_the_log(
    engine: Engine, home: Path
) -> None:
    job = submit(engine, "fail")
    with pytest.raises(JobFailed) as caught:
        result(job)
    assert job.state == "failed"
    assert caught.value.kind == "ValueError"
    assert caught.value.sentence == (
        "The computation failed with ValueError: class 12 does not exist."
    )
    log = (home / LOG).read_text()
    assert f"reference {caught.value.reference}" in log
    assert "Traceback" in log
    assert "and a second line" in log


def test_a_worker_whose_device_is_out_of_memory_is_replaced(shared: Engine) -> None:
    worker = result(submit(shared, "pid"))
    job = submit(shared, "exhaust")
    with pytest.raises(JobFailed, match="out of memory; run it with smaller batches") as caught:
        result(job)
    assert caught.value.kind == "OutOfMemoryError"
    again = shared.submit(f"{TASKS}:pid", {}, key="after", priority="batch", retries=1)
    assert result(again) != worker


@pytest.mark.parametrize(
    "task",
    [f"{TASKS}:unknown", "tests.no_such_module:f", f"{TASKS}:NOT_CALLABLE", "no colon", ":", ""],
)
def test_an_unknown_task_is_a_clear_failure(shared, task: str) -> None:
    job = shared.submit(task, {}, key=f"unknown {task}", priority="batch")
    with pytest.raises(JobFailed, match=f"There is no task {task!r}"):
        result(job)


@pytest.mark.parametrize(
    ("task", "sentence"),
    [("not_json", "failed with TypeError"), ("leave", "failed with SystemExit: bye")],
)
def test_a_task_that_misbehaves_fails_alone_and_keeps_its_worker(shared, task, sentence) -> None:
    worker = result(submit(shared, "pid"))
    with pytest.raises(JobFailed, match=sentence):
        result(submit(shared, task))
    assert result(submit(shared, "pid")) == worker


def test_a_killed_worker_fails_only_its_own_job(home: Path, tmp_path: Path) -> None:
    engine = Engine(home, ["--slots", "2"])
    try:
        release = tmp_path / "release"
        victim, other = (
            submit(engine, "wait", started=str(tmp_path / name), release=str(release))
            for name in ("victim", "other")
        )
        started_by(tmp_path / "other")
        os.kill(started_by(tmp_path / "victim"), signal.SIGKILL)
        with pytest.raises(JobFailed, match=r"process of the computation died \(exit code -9\)"):
            result(victim)
        assert other.state == "running"
        release.touch()
        assert isinstance(result(other), int)
        assert isinstance(result(submit(engine, "pid")), int)
    finally:
        engine.close()


def test_a_worker_killed_while_it_rests_is_replaced(shared) -> None:
    worker = result(submit(shared, "pid"))
    assert isinstance(worker, int)
    os.kill(worker, signal.SIGKILL)
    until(lambda: not alive(worker))
    # Until Pebble has noticed, a job may still meet the broken pool: one retry is enough.
    job = shared.submit(f"{TASKS}:pid", {}, key="after the kill", retries=1, priority="batch")
    assert result(job) != worker


def test_a_job_is_tried_again_after_its_worker_died(shared) -> None:
    job = shared.submit(
        f"{TASKS}:die_at_first", {"dies": 2}, key="retry", retries=2, priority="batch"
    )
    assert result(job) == 3
    events = job.events()
    assert events[-1].data == {"attempt": 3}
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [event.attempt for event in events] == [event.data["attempt"] for event in events]


def test_a_job_that_dies_more_often_than_it_may_retry_fails(shared) -> None:
    job = shared.submit(
        f"{TASKS}:die_at_first", {"dies": 2}, key="no retry left", retries=1, priority="batch"
    )
    with pytest.raises(JobFailed, match="died"):
        result(job)


def test_a_job_is_stopped_at_its_time_limit_and_not_tried_again(shared, tmp_path: Path) -> None:
    job = shared.submit(
        f"{TASKS}:deaf", {"started": str(tmp_path / "s")}, key="slow", retries=5, timeout=0.3
    )
    with pytest.raises(JobFailed, match=r"stopped at its time limit of 0\.3 s"):
        result(job)
    assert [event.attempt for event in job.events()] == [1]
    worker = started_by(tmp_path / "s")
    until(lambda: not alive(worker))


def test_a_killed_engine_process_is_replaced_and_its_jobs_go_on(
    engine: Engine, home: Path, tmp_path: Path
) -> None:
    release = str(tmp_path / "release")
    retried, given_up = (
        engine.submit(
            f"{TASKS}:wait",
            {"started": str(tmp_path / name), "release": release},
            key=name,
            priority="batch",
            retries=retries,
        )
        for name, retries in (("retried", 1), ("given up", 0))
    )
    worker = started_by(tmp_path / "retried")
    os.kill(server_of(home), signal.SIGKILL)

    until(lambda: not alive(worker))
    until(lambda: retried.events() and retried.events()[-1].attempt == 2)
    (tmp_path / "release").touch()
    assert isinstance(result(retried), int)
    numbers = [event.number for event in retried.events()]
    assert numbers == sorted(set(numbers))
    assert isinstance(result(given_up), int), "it was waiting, so it lost nothing"


def test_a_job_that_may_not_be_tried_again_is_interrupted_by_the_end_of_the_engine(
    engine: Engine, home: Path, tmp_path: Path
) -> None:
    job = submit(engine, "deaf", started=str(tmp_path / "s"))
    started_by(tmp_path / "s")
    until(job.events)
    os.kill(server_of(home), signal.SIGKILL)
    with pytest.raises(JobFailed, match="interrupted when the engine ended"):
        result(job)
    assert job.state == "interrupted"
    assert [event.data for event in job.events()] == [{"attempt": 1}], "how far it came is known"
    assert isinstance(result(submit(engine, "pid")), int)


def test_an_engine_that_cannot_be_started_again_fails_its_jobs_with_a_sentence(
    engine: Engine, home: Path, tmp_path: Path
) -> None:
    job = submit(engine, "deaf", started=str(tmp_path / "s"))
    started_by(tmp_path / "s")
    pid = server_of(home)
    shutil.rmtree(home)
    home.touch()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(JobFailed, match="No engine can be started in"):
        result(job)
    with pytest.raises(EngineUnavailable, match="No engine can be started in"):
        submit(engine, "pid")


def test_jobs_outlive_a_killed_client_and_the_next_one_finds_them(
    home: Path, tmp_path: Path
) -> None:
    """As when the web server is killed while a run goes on."""
    started, release = tmp_path / "started", tmp_path / "release"
    code = (
        "from pathlib import Path; import time\n"
        "from pru_demo.jobs.client import Engine\n"
        f"engine = Engine(Path({str(home)!r}), ['--slots', '1'])\n"
        f"engine.submit('{TASKS}:wait', {{'started': {str(started)!r}, "
        f"'release': {str(release)!r}}}, key='run')\n"
        "time.sleep(600)"
    )
    client = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    worker = started_by(started)
    client.kill()
    client.wait()

    engine = Engine(home, ONE_SLOT)
    try:
        job = engine.job("run")
        assert job is not None
        assert job.state == "running"
        until(job.events)
        release.touch()
        assert result(job) == worker, "it never stopped"
    finally:
        engine.close()


def test_a_job_in_flight_when_the_last_client_leaves_goes_on_with_the_next(
    home: Path, tmp_path: Path
) -> None:
    first = Engine(home, ONE_SLOT)
    arguments = {"started": str(tmp_path / "s"), "release": str(tmp_path / "release")}
    left = first.submit(f"{TASKS}:wait", arguments, key="run")
    worker = started_by(tmp_path / "s")
    first.close()
    with pytest.raises(JobFailed, match="has left the engine"):
        result(left)
    until(lambda: not alive(worker))

    (tmp_path / "s").unlink()
    second = Engine(home, ONE_SLOT)
    try:
        job = second.job("run")
        assert job is not None
        started_by(tmp_path / "s")
        (tmp_path / "release").touch()
        assert isinstance(result(job), int)
        assert job.events()[-1].attempt == 2
    finally:
        second.close()


def test_two_clients_share_one_engine_and_one_job(home: Path, tmp_path: Path) -> None:
    engines = [Engine(home, ONE_SLOT) for _ in range(2)]
    try:
        log, release = tmp_path / "log", tmp_path / "release"
        arguments = {"log": str(log), "release": str(release)}
        first, second = (
            engine.submit(f"{TASKS}:log_run", arguments, key="same", visitor=name)
            for engine, name in zip(engines, "ab", strict=True)
        )
        assert first.id == second.id
        until(lambda: first.watchers == second.watchers == 2)
        first.cancel("a")
        until(lambda: second.watchers == 1)
        engines[0].close()
        release.touch()
        assert result(second) == "result"
        assert log.read_text() == "run\n"
    finally:
        for engine in engines:
            engine.close()


def test_sixty_identical_requests_compute_once(shared: Engine, tmp_path: Path) -> None:
    log, release = tmp_path / "log", tmp_path / "release"
    arguments = {"log": str(log), "release": str(release)}

    def ask(number: int) -> Job:
        return shared.submit(f"{TASKS}:log_run", arguments, key="sixty", visitor=f"v{number}")

    with ThreadPoolExecutor(60) as students:
        jobs = list(students.map(ask, range(60)))
    assert all(job is jobs[0] for job in jobs)
    until(lambda: jobs[0].watchers == 60)
    for number in range(59):
        jobs[0].cancel(f"v{number}")
    until(lambda: jobs[0].watchers == 1)
    release.touch()
    assert result(jobs[0]) == "result", "59 of 60 left, and it went on"
    assert log.read_text() == "run\n"


def test_engines_started_at_once_are_one(home: Path) -> None:
    engines = [Engine(home, ONE_SLOT) for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as clients:
            jobs = list(clients.map(lambda engine: submit(engine, "parent"), engines))
        assert {result(job) for job in jobs} == {holder(home)}
    finally:
        for engine in engines:
            engine.close()


def test_closing_ends_processes_and_leaves_no_sockets(home: Path, tmp_path: Path) -> None:
    engine = Engine(home, ["--slots", "2"])
    job = submit(engine, "deaf", started=str(tmp_path / "s"))
    worker = started_by(tmp_path / "s")
    server = server_of(home)
    family = [server, *children(server)]
    assert worker in family

    engine.close()

    with pytest.raises(JobFailed, match="left the engine"):
        result(job)
    until(lambda: not any(alive(pid) for pid in family))
    until(lambda: holder(home) is None)  # a dying process closes its files a little later
    assert not list(runtime_directory(home).glob("*engine*"))
    with pytest.raises(RuntimeError, match="was closed"):
        submit(engine, "pid")


def test_an_engine_that_was_never_used_starts_no_process(home: Path) -> None:
    before = children(os.getpid())
    engine = Engine(home)
    assert engine.jobs() == []
    assert children(os.getpid()) == before
    engine.close()
    assert not home.exists()
