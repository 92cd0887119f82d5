"""Workers on a Ray cluster, for ``PRU_ENGINE=ray``; needs ``requirements-cluster.txt``."""

import os
import sys
from concurrent.futures import Future
from functools import partial
from threading import Thread, Timer
from typing import Any

import ray

from pru_demo.jobs import worker_store
from pru_demo.jobs.job import Request
from pru_demo.jobs.protocol import OUT_OF_MEMORY
from pru_demo.jobs.ray_worker import RayWorker
from pru_demo.jobs.workers import OnMessage, WorkerGone, Workers
from pru_demo.store.entry import decode, encode

# What tasks on another machine must know of ours.
PASSED_ON = ("PRU_DEVICE", "PRU_DATA_DIR", "OMP_NUM_THREADS")

Needs = tuple[float, float]  # CPUs, GPUs


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
        self._total: dict[str, float] = ray.cluster_resources()
        cpus, gpus = self._total.get("CPU", 1), self._total.get("GPU", 0)
        self.slots = slots or int(gpus) or max(1, int(cpus) // 2)
        self.on_message: OnMessage = lambda _: None
        self._idle: dict[Needs, list[Any]] = {}
        self._busy: dict[str, Any] = {}

    def start(self, id: str, attempt: int, request: Request) -> Future[None]:
        """See ``Workers.start``."""
        try:
            needs = self._needs(request)
        except WorkerGone as error:
            refused: Future[None] = Future()
            refused.set_exception(error)
            return refused
        idle = self._idle.get(needs, [])
        actor = idle.pop() if idle else self._new_actor(needs)
        self._busy[id] = actor
        running = _Running(actor)
        follow = partial(self._follow, actor, needs, id, attempt, request, running)
        Thread(target=follow, name=f"ray-{id}", daemon=True).start()
        return running

    def ask_to_stop(self, id: str) -> None:
        """See ``Workers.ask_to_stop``."""
        if actor := self._busy.get(id):
            actor.ask_to_stop.remote()

    def forget(self, id: str) -> None:
        """See ``Workers.forget``."""
        self._busy.pop(id, None)

    def stop(self) -> None:
        """See ``Workers.stop``. A cluster that ran before goes on without our actors."""
        ray.shutdown()

    def _needs(self, request: Request) -> Needs:
        """What to ask of Ray. Raises WorkerGone for what the cluster never has: Ray would wait."""
        device = os.environ.get("PRU_DEVICE", "")
        there = self._total.get("GPU", 0)
        wanted = request.gpus
        if device.startswith("cuda") or (there and not device.startswith("cpu")):
            wanted = max(wanted, 1)
        if wanted > there:
            raise WorkerGone(
                f"The job needs {wanted:g} GPU and the cluster has {there:g}; set PRU_DEVICE=cpu "
                "to compute on processors."
            )
        return request.cpus, wanted

    def _new_actor(self, needs: Needs) -> Any:
        # A thread each for the task, for whoever listens, for answers and for the cancel button.
        options = {"num_cpus": needs[0], "num_gpus": needs[1], "max_concurrency": 4}
        return ray.remote(RayWorker).options(**options).remote()

    def _follow(
        self,
        actor: Any,
        needs: Needs,
        id: str,
        attempt: int,
        request: Request,
        running: "_Running",
    ) -> None:
        """Pass on what the task says until it is over or its process is."""
        expiry = Timer(request.timeout or 0.0, running.expire)
        try:
            actor.run.remote(id, attempt, request.task, request.arguments)
            heard, over = 0, False
            while not over:
                messages = ray.get(actor.hear.remote(id, attempt, heard))
                if messages and not heard and request.timeout is not None:
                    expiry.start()  # not before: an actor takes a second or more to start
                for number, message in enumerate(messages, heard):
                    if "store" in message:
                        actor.answer.remote(number, self._answer(message))
                    elif "state" in message:
                        over = True
                        self._release(actor, needs, message)
                        self.on_message(message)
                    elif "event" in message:
                        self.on_message(message)
                heard += len(messages)
        except ray.exceptions.RayError as error:
            running.fail(error)
        else:
            running.set_result(None)
        finally:
            expiry.cancel()

    def _release(self, actor: Any, needs: Needs, outcome: dict[str, Any]) -> None:
        """Keep the actor for the next job, unless its device is in an unknown state."""
        if (outcome.get("error") or {}).get("type") in OUT_OF_MEMORY:
            ray.kill(actor)
        else:
            self._idle.setdefault(needs, []).append(actor)

    def _answer(self, message: dict[str, Any]) -> bytes | None:
        store, key = worker_store.own_store(), message["key"]
        if message["store"] == "get":
            entry = store.get(key)
            return None if entry is None else encode(entry.meta, entry.arrays)
        if message["store"] == "put":
            entry = decode(message["data"])
            store.put(key, entry.meta, entry.arrays)
        elif message["store"] == "withdraw":
            store.withdraw(key)
        else:
            store.delete(key)
        return None


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
