from threading import Thread
from time import sleep

import numpy as np
import pytest
import umap

from pru_demo.projection.fidelity import trustworthiness
from pru_demo.projection.umap_maps import classic_umap, fit_umap, warm_up


@pytest.mark.slow
def test_classic_umap_is_faithful_and_the_same_for_the_same_seed(unlearning):
    features = unlearning().features[0]
    placed = classic_umap(features, seed=3)
    assert trustworthiness(features, placed) > 0.95
    assert np.array_equal(placed, classic_umap(features, seed=3))
    assert not np.array_equal(placed, classic_umap(features, seed=4))


def test_features_umap_cannot_use_are_refused_before_it_is_imported():
    with pytest.raises(ValueError, match="samples > 15"):
        classic_umap(np.zeros((15, 4)), seed=0)
    with pytest.raises(ValueError, match="NaN"):
        classic_umap(np.full((20, 4), np.nan), seed=0)


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
