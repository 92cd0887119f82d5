"""A pulse per batch, so that long computations can be watched and stopped from outside.

Training, unlearning and evaluation call :func:`beat` once per batch. Who runs them may listen with
:func:`listening`; raising from the listener ends the computation at that batch. Numerical code thus
knows nothing of jobs, progress bars or cancel buttons.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_listener: ContextVar[Callable[[], None] | None] = ContextVar("heartbeat", default=None)


def beat() -> None:
    """Tell the listener, if there is one, that another batch is done."""
    if listener := _listener.get():
        listener()


@contextmanager
def listening(listener: Callable[[], None]) -> Iterator[None]:
    """Call ``listener`` on every beat inside the ``with`` block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
