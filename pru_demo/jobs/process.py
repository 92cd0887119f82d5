"""The engine process: ``python -m pru_demo.jobs.process HOME --slots N``.

Started by ``launch`` when none is running. No torch here: that would cost seconds.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from multiprocessing.connection import Listener
from pathlib import Path
from threading import Thread

from pru_demo.jobs.journal import Durations, Journal
from pru_demo.jobs.launch import SOCKET, hold, remove_old, runtime_directory
from pru_demo.jobs.link import Link, Message
from pru_demo.jobs.schedule import Limits
from pru_demo.jobs.server import Server
from pru_demo.jobs.worker_store import WITHOUT_BUNDLE
from pru_demo.jobs.workers import LocalWorkers, Workers

BACKLOG = 128


def main() -> None:
    """Parse the command line and serve, unless another process serves this home already."""
    parser = argparse.ArgumentParser(description="Engine process; started by the app or the CLI.")
    parser.add_argument("home", type=Path, help="directory of its journal and lock")
    parser.add_argument("--slots", type=int, default=0, help="jobs at a time; 0: by the machine")
    parser.add_argument("--cluster", default="", help="address of a Ray cluster, or 'local'")
    parser.add_argument("--store", default="", help="directory of the store that tasks use")
    parser.add_argument(
        "--without-bundle", action="store_true", help="tasks do not see the shipped records"
    )
    options = parser.parse_args()
    if options.store:
        os.environ["PRU_STORE_DIR"] = options.store
    if options.without_bundle:
        os.environ[WITHOUT_BUNDLE] = "1"
    if hold(options.home):
        serve(options.home, options.cluster, options.slots)


def serve(home: Path, cluster: str, slots: int) -> None:
    """Serve until the last client leaves, and end this process."""
    remove_old(home)
    directory = runtime_directory(home)
    for left in directory.iterdir():  # sockets and flags of one that was killed
        left.unlink()
    workers = _workers(cluster, slots, directory)
    machine = f"{len(gpus())}-gpus-{os.cpu_count()}-cores-{workers.slots}-slots"
    server = Server(
        workers,
        Journal(home / "jobs"),
        # Beside the homes: an update of the code leaves the machine as fast as it was.
        Durations(home.parent / f"durations-{machine}.json"),
        Limits(workers.slots),
    )
    # Handlers run on the main thread, between two of the server's actions.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.inbox.put(server.stop))
    listener = Listener(str(directory / SOCKET), backlog=BACKLOG)
    Thread(target=_accept, args=[listener, server], daemon=True).start()
    server.run()
    listener.close()
    shutil.rmtree(directory, ignore_errors=True)
    sys.stderr.flush()
    # Threads that wait for clients or dead workers must not keep the process.
    os._exit(0)


def _workers(cluster: str, slots: int, directory: Path) -> Workers:
    if cluster:
        # Whoever reaches the ports of Ray runs code: only with the token, which is this user's.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.umask(0o077)
        # Here, not above: Ray is an extra, and reads these variables when it is imported.
        from pru_demo.jobs.ray_workers import RayWorkers

        return RayWorkers("" if cluster == "local" else cluster, slots)
    slots = slots or default_slots()
    # Workers share the cores instead of each starting a thread for every one of them.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // slots)))
    return LocalWorkers(slots, gpus(), directory)


def default_slots() -> int:
    """One job per GPU, or per two CPU cores."""
    return len(gpus()) or max(1, (os.cpu_count() or 1) // 2)


def gpus() -> list[str]:
    """What CUDA_VISIBLE_DEVICES is set to for one GPU each; empty where none is to be used."""
    if os.environ.get("PRU_DEVICE", "").startswith("cpu"):
        return []
    if (chosen := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [each.strip() for each in chosen.split(",") if each.strip() not in ("", "-1")]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--list-gpus"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [str(number) for number, line in enumerate(listed.stdout.splitlines()) if line.strip()]


def _accept(listener: Listener, server: Server) -> None:
    def on_message(client: Link, message: Message) -> None:
        server.inbox.put(partial(server.handle, client, message))

    def on_end(client: Link) -> None:
        server.inbox.put(partial(server.farewell, client))

    with contextlib.suppress(OSError):  # closed at the end
        while True:
            client = Link(listener.accept(), on_message, on_end)
            server.inbox.put(partial(server.welcome, client))


if __name__ == "__main__":
    main()
