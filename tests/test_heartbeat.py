"""Who listens hears every beat, and only while listening."""

from threading import Thread

import pytest

from pru_demo.heartbeat import beat, listening


def test_a_beat_without_a_listener_does_nothing() -> None:
    beat()


def test_listener_hears_beats_inside_only() -> None:
    heard: list[int] = []
    beat()
    with listening(lambda: heard.append(1)):
        beat()
        beat()
    beat()
    assert len(heard) == 2


def test_what_the_listener_raises_reaches_the_computation_and_ends_the_listening() -> None:
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"), listening(stop):
        beat()
    beat()
    assert calls == 1


def test_the_inner_listener_replaces_the_outer_one_for_its_time() -> None:
    heard: list[str] = []
    with listening(lambda: heard.append("outer")):
        with listening(lambda: heard.append("inner")):
            beat()
        beat()
    assert heard == ["inner", "outer"]


def test_another_thread_is_not_listened_to() -> None:
    heard: list[int] = []
    with listening(lambda: heard.append(1)):
        thread = Thread(target=beat)
        thread.start()
        thread.join()
    assert heard == []
