from threading import Thread
from time import sleep

import numpy as np
import umap

from pru_demo.projection import warm_up
from pru_demo.projection.umap_maps import fit_umap


def test_umap_is_asked_one_thing_at_a_time(monkeypatch):
    busy: list[int] = []
    most: list[int] = []

    class Slow:
        def __init__(self, **_: object) -> None: ...

        def fit_transform(self, points: np.ndarray) -> np.ndarray:
            busy.append(1)
            most.append(len(busy))
            sleep(0.05)
            busy.pop()
            return points[:, :2]

    monkeypatch.setattr(umap, "UMAP", Slow)
    points = np.random.default_rng(0).normal(size=(40, 3))
    threads = [Thread(target=fit_umap, args=(points,), kwargs={"seed": 0}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


def test_warming_up_fits_something(monkeypatch):
    fitted: list[tuple[int, ...]] = []

    class Noted:
        def __init__(self, **_: object) -> None: ...

        def fit_transform(self, points: np.ndarray) -> np.ndarray:
            fitted.append(points.shape)
            return points[:, :2]

    monkeypatch.setattr(umap, "UMAP", Noted)
    warm_up()
    assert len(fitted) == 1
