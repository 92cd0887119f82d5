"""p̃ of fixed images is computed once, of augmented ones for every batch."""

from dataclasses import replace

import torch
from torch import Tensor

from pru_demo.data.samples import Batch, crop_and_flip
from pru_demo.methods.losses import redistribute
from pru_demo.methods.step import ForgetSet
from pru_demo.methods.targets import redistributed_targets
from pru_demo.models.split import SplitModel
from tests.same import changed, frozen
from tests.spy import spied

INDEX = torch.tensor([5, 0, 47])


def batch(index: Tensor, x: Tensor) -> Batch:
    """With labels that do not matter."""
    return Batch(index, x, torch.empty(0))


def test_targets_of_fixed_images_follow_the_index(tiny: SplitModel, nines: ForgetSet) -> None:
    targets, before, asking = redistributed_targets(tiny.train(), nines)
    with torch.no_grad():
        expected = redistribute(tiny.eval()(nines.images / 255), {9})
    # The inputs do not matter: they are known.
    torch.testing.assert_close(
        targets(batch(INDEX, torch.empty(0))), expected[INDEX], rtol=0, atol=1e-6
    )
    assert (before, asking) == (48, 0)


def test_targets_of_augmented_images_follow_the_inputs(tiny: SplitModel, nines: ForgetSet) -> None:
    augmenting = replace(nines, augment=crop_and_flip)
    targets, before, asking = redistributed_targets(tiny.train(), augmenting)
    inputs = torch.rand(3, 1, 28, 28)
    found = targets(batch(INDEX, inputs))
    assert tiny.training
    with torch.no_grad():
        assert torch.equal(found, redistribute(tiny.eval()(inputs), {9}))
    assert not found.requires_grad
    assert (before, asking) == (0, 1)


def test_later_changes_of_the_original_do_not_reach_the_targets(
    tiny: SplitModel, nines: ForgetSet
) -> None:
    for forget in (nines, replace(nines, augment=crop_and_flip)):
        targets, _, _ = redistributed_targets(tiny, forget)
        inputs = nines.images[INDEX] / 255
        one = targets(batch(INDEX, inputs))
        with torch.no_grad():
            tiny.classifier.weight.mul_(-1)
        assert torch.equal(one, targets(batch(INDEX, inputs)))


def test_all_forgotten_classes_are_masked(tiny: SplitModel, threes_and_nines: ForgetSet) -> None:
    targets, _, _ = redistributed_targets(tiny, threes_and_nines)
    found = targets(batch(torch.arange(48), torch.empty(0)))
    assert (found[:, [3, 9]] == 0).all()
    torch.testing.assert_close(found.sum(1), torch.ones(48))


def test_the_original_keeps_its_mode_and_statistics(tiny: SplitModel, nines: ForgetSet) -> None:
    spy, seen = spied(tiny.train())
    before = frozen(spy)
    for forget in (nines, replace(nines, augment=crop_and_flip)):
        targets, _, _ = redistributed_targets(spy, forget)
        targets(batch(INDEX, nines.images[INDEX] / 255))
    assert spy.training
    assert not changed(before, spy)
    assert not any(sight.training for sight in seen)
