"""A neighbour is close to its image, is an image itself, and is less of what it was."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from pru_demo.methods.neighbours import neighbours
from pru_demo.methods.step import ForgetSet
from pru_demo.models.predict import predict
from pru_demo.models.split import SplitModel
from tests.same import changed, frozen


def test_a_neighbour_lies_within_epsilon_and_is_an_image(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    near = neighbours(tiny, nines, epsilon=0.03, step=0.01, steps=3)
    moved = (near - nines.images / 255).abs()
    assert near.shape == nines.images.shape
    assert near.min() >= 0
    assert near.max() <= 1
    assert moved.max() == pytest.approx(0.03, abs=1e-6)
    # Steps too long for it end at its rim.
    far = neighbours(tiny, nines, epsilon=0.02, step=0.5, steps=3)
    assert (far - nines.images / 255).abs().max() == pytest.approx(0.02, abs=1e-6)


def test_it_is_less_of_its_class_than_the_image_was(tiny: SplitModel, nines: ForgetSet) -> None:
    near = neighbours(tiny, nines, epsilon=0.1, step=0.02, steps=5)
    before, after = (
        F.cross_entropy(predict(tiny, images), nines.labels.long(), reduction="none")
        for images in (nines.images, near)
    )
    assert (after > before).all()


def test_one_step_is_epsilon_times_the_sign_of_the_gradient(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    x = (nines.images / 255).requires_grad_(True)
    F.cross_entropy(tiny(x), nines.labels.long()).backward()
    assert x.grad is not None
    by_hand = (x + 0.05 * x.grad.sign()).clamp(0, 1).detach()
    torch.testing.assert_close(neighbours(tiny, nines, epsilon=0.05, step=0.05, steps=1), by_hand)


def test_more_images_than_fit_one_batch_have_theirs_in_order(
    tiny: SplitModel, nines: ForgetSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = neighbours(tiny, nines, epsilon=0.03, step=0.01, steps=3)
    monkeypatch.setattr("pru_demo.methods.neighbours.measuring_batch", lambda _: 20)
    torch.testing.assert_close(neighbours(tiny, nines, epsilon=0.03, step=0.01, steps=3), whole)


def test_nothing_of_the_network_is_moved(tiny: SplitModel, nines: ForgetSet) -> None:
    tiny.train()
    before = frozen(tiny)
    neighbours(tiny, nines, epsilon=0.03, step=0.01, steps=3)
    assert not changed(before, tiny)
    assert tiny.training
    assert all(p.grad is None and p.requires_grad for p in tiny.parameters())


def test_pixels_beyond_0_and_1_are_refused(tiny: SplitModel, nines: ForgetSet) -> None:
    normalised = replace(nines, images=nines.images / 255 * 2 - 1)
    with pytest.raises(ValueError, match=r"Only pixels between 0 and 1 can be attacked\. Make"):
        neighbours(tiny, normalised, epsilon=0.03, step=0.01, steps=3)
