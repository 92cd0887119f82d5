"""Workers on a Ray cluster, for ``PRU_ENGINE=ray``; needs ``requirements-cluster.txt``.

An actor may be on any machine, so all goes through calls: the engine asks for what the task says
(:meth:`RayWorker.hear`), and answers what the task wants of the store, which only the engine has.
"""

import os
import sys
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from threading import Condition, Lock, Thread, Timer
from typing import Any, TypeAlias

import ray

from pru_demo.jobs import worker_store
from pru_demo.jobs.link import Outcome, Said, to_json
from pru_demo.jobs.protocol import Request
from pru_demo.jobs.worker import TaskContext, outcome_of, ran_out_of_memory
from pru_demo.jobs.worker_store import Question
from pru_demo.jobs.workers import OnMessage, WorkerGone, Workers

# What tasks on another machine must know of ours.
PASSED_ON = ("PRU_DEVICE", "PRU_DATA_DIR", "OMP_NUM_THREADS")

# How long a question waits for something to be said, so that few are needed.
HEAR_SECONDS = 2.0


@dataclass(frozen=True)
class Began:
    """An actor has begun a task."""


Words: TypeAlias = Began | Said | Question | Outcome


class RayWorkers(Workers):
    """Actors on the cluster at ``address`` ("": one started on this machine), kept warm.

    ``slots``: how many jobs at a time; 0: one per GPU of the cluster, or per two of its CPUs.
    Results come back here, whatever machine they were computed on. Raises ConnectionError with a
    sentence if there is no cluster.
    """

    def __init__(self, address: str, slots: int) -> None:
        here: dict[str, Any] = {"include_dashboard": False, "num_cpus": os.cpu_count()}
        try:
            ray.init(
                address or "local",
                namespace="pru-demo",
                log_to_driver=False,
                runtime_env={"env_vars": _environment()},
                **({} if address else here),
            )
        except Exception as error:  # Ray raises many kinds
            raise ConnectionError(f"No Ray cluster at {address or 'local'}: {error}") from error
        there: dict[str, float] = ray.cluster_resources()
        self._gpus_there = there.get("GPU", 0)
        device = os.environ.get("PRU_DEVICE", "")
        on_gpu = device.startswith("cuda") or (self._gpus_there and not device.startswith("cpu"))
        self._gpus = 1 if on_gpu else 0  # that a job needs
        self.slots = slots or int(self._gpus_there) or max(1, int(there.get("CPU", 1)) // 2)
        self.on_message: OnMessage = lambda _: None
        self._idle: list[Any] = []
        self._busy: dict[str, Any] = {}

    def start(self, id: str, attempt: int, request: Request) -> Future[None]:
        if self._gpus > self._gpus_there:  # Ray would wait for ever
            refused: Future[None] = Future()
            refused.set_exception(
                WorkerGone(
                    f"The job needs {self._gpus} GPU and the cluster has {self._gpus_there:g}; set "
                    "PRU_DEVICE=cpu to compute on processors."
                )
            )
            return refused
        actor = self._busy[id] = self._idle.pop() if self._idle else self._new_actor()
        running = _Running(actor)
        follow = partial(self._follow, actor, id, attempt, request, running)
        Thread(target=follow, name=f"ray-{id}", daemon=True).start()
        return running

    def ask_to_stop(self, id: str) -> None:
        if actor := self._busy.get(id):
            actor.ask_to_stop.remote()

    def forget(self, id: str) -> None:
        self._busy.pop(id, None)

    def stop(self) -> None:
        ray.shutdown()  # a cluster that ran before goes on without our actors

    def _new_actor(self) -> Any:
        # A thread each for the task, for whoever listens, for answers and for the cancel button.
        options = {"num_cpus": 1, "num_gpus": self._gpus, "max_concurrency": 4}
        return ray.remote(RayWorker).options(**options).remote()

    def _follow(
        self, actor: Any, id: str, attempt: int, request: Request, running: "_Running"
    ) -> None:
        """Pass on what the task says until it is over or its process is."""
        expiry = Timer(request.timeout or 0.0, running.expire)
        try:
            actor.run.remote(id, attempt, request)
            heard, over = 0, False
            while not over:
                messages: list[Words] = ray.get(actor.hear.remote(id, attempt, heard))
                for number, message in enumerate(messages, heard):
                    match message:
                        case Began():
                            if request.timeout is not None:
                                expiry.start()  # not before: an actor takes a second to start
                        case Question():
                            actor.answer.remote(number, worker_store.answer(message))
                        case Said():
                            self.on_message(message)
                        case Outcome():
                            over = True
                            self._release(actor, message)
                            self.on_message(message)
                heard += len(messages)
        except ray.exceptions.RayError as error:
            running.fail(error)
        else:
            running.set_result(None)
        finally:
            expiry.cancel()

    def _release(self, actor: Any, outcome: Outcome) -> None:
        """Keep the actor for the next job, unless its device is in an unknown state."""
        if ran_out_of_memory(outcome):
            ray.kill(actor)
        else:
            self._idle.append(actor)


class _Running(Future[None]):
    """A call that can be cancelled while it runs: its actor is killed."""

    def __init__(self, actor: Any) -> None:
        super().__init__()
        self._actor = actor
        self._expired = False
        self.set_running_or_notify_cancel()

    def cancel(self) -> bool:
        """Kill the actor."""
        ray.kill(self._actor)
        return True

    def expire(self) -> None:
        """Kill the actor because its time is up."""
        self._expired = True
        self.cancel()

    def fail(self, error: Exception) -> None:
        """End because the actor has died."""
        gone = WorkerGone("The process of the computation died on the cluster.")
        gone.__cause__ = error
        self.set_exception(TimeoutError() if self._expired else gone)


def _environment() -> dict[str, str]:
    """Variables of the actors; they import what this process can, if it is installed there."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**passed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class RayWorker:
    """The actor. While ``run`` blocks, the other methods are called on threads of their own."""

    def __init__(self) -> None:
        self._one_at_a_time = Lock()
        self._said = Condition()
        self._messages: list[Words] = []
        self._answers: dict[int, bytes | None] = {}
        self._call: tuple[str, int] | None = None
        self._stopping = False

    def run(self, id: str, attempt: int, request: Request) -> None:
        """Run a task. What it says is to be heard with :meth:`hear`, its outcome last."""
        with self._one_at_a_time:
            with self._said:
                self._call, self._messages, self._answers = (id, attempt), [], {}
                self._stopping = False
            self._say(Began())
            worker_store.relay_to(self._ask)
            context = TaskContext(id, attempt, self._report, lambda: self._stopping)
            self._say(outcome_of(request, context))

    def hear(self, id: str, attempt: int, after: int) -> list[Words]:
        """What a call of :meth:`run` has said but for the first ``after`` messages.

        May be asked before that call begins, as Ray promises no order; waits for news a while.
        """
        call = (id, attempt)
        with self._said:
            self._said.wait_for(
                lambda: self._call == call and len(self._messages) > after, HEAR_SECONDS
            )
            return self._messages[after:] if self._call == call else []

    def answer(self, number: int, value: bytes | None) -> None:
        """The store's answer to message ``number``."""
        with self._said:
            self._answers[number] = value
            self._said.notify_all()

    def ask_to_stop(self) -> None:
        """Let the task see that it is cancelled."""
        self._stopping = True

    def _report(self, said: Said) -> None:
        to_json(said)
        self._say(said)

    def _say(self, message: Words) -> int:
        """Add a message to what will be heard; returns its number."""
        with self._said:
            self._messages.append(message)
            self._said.notify_all()
            return len(self._messages) - 1

    def _ask(self, question: Question) -> bytes | None:
        """Say what the task wants of the store, and wait for the answer."""
        number = self._say(question)
        with self._said:
            self._said.wait_for(lambda: number in self._answers)
            return self._answers.pop(number)
