"""What each part of a run is given: right classes, right part of the data, right amount."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pru_demo.config import Scenario
from pru_demo.data.samples import Dataset
from pru_demo.data.splits import trial_split
from pru_demo.experiment.material import gather
from pru_demo.settings import PRESETS

# As in the presets, not the shrunken one: gathering is fast.
CLASSROOM, FULL = Scenario(), Scenario(preset="full")


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRU_DEVICE", "cpu")


def contains(images: torch.Tensor, others: torch.Tensor) -> set[bytes]:
    """The images that both have."""
    one, other = ({image.numpy().tobytes() for image in each} for each in (images, others))
    return one & other


def test_amounts_are_those_of_the_preset() -> None:
    preset, material = PRESETS["classroom"], gather(CLASSROOM)
    assert len(material.forget.images) == preset.forget_samples
    assert len(material.relearn.images) == len(material.relearn.labels) == preset.relearn_samples
    assert len(material.test.images) == len(material.test.published) == 1500
    assert material.test.shown.tolist() == list(range(1500))


def test_the_full_preset_takes_all(mnist: Dataset) -> None:
    material = gather(FULL)
    split = trial_split(60_000, 7)
    nines = mnist.train_labels[split.train] == 9
    assert len(material.forget.images) == int(nines.sum())
    d_r_new = int((mnist.train_labels[split.new] != 9).sum())
    assert len(material.relearn.images) == d_r_new * 8 // 10
    assert len(material.test.images) == 10_000
    assert np.array_equal(material.test.shown.numpy(), material.test.published)


def test_classes_are_where_they_belong() -> None:
    material = gather(Scenario(forget=(4, 9)))
    assert set(material.forget.labels.tolist()) == {4, 9}
    assert material.forget.classes == {4, 9}
    assert set(material.relearn.labels.tolist()) == set(range(10)) - {4, 9}
    retain = material.retain()
    assert set(retain.labels.tolist()) == set(range(10)) - {4, 9}


def test_retain_and_forget_make_up_the_part_that_trained_the_original(mnist: Dataset) -> None:
    material = gather(FULL)
    retain = material.retain()
    assert len(retain.images) + len(material.forget.images) == 38_400
    train = torch.from_numpy(trial_split(60_000, 7).train)
    labels = mnist.train_labels[train]
    assert torch.equal(retain.images, mnist.train_images[train[labels != 9]])
    assert torch.equal(material.forget.images, mnist.train_images[train[labels == 9]])


def test_relearning_shares_no_image_with_training_or_tests() -> None:
    material = gather(FULL)
    relearned = material.relearn.images
    assert not contains(relearned, material.test.images)
    # MNIST is free of duplicates, so equal bytes are the same image.
    assert not contains(relearned, material.retain().images)


def test_the_published_index_finds_each_shown_image(mnist: Dataset) -> None:
    for scenario in (CLASSROOM, FULL):
        test = gather(scenario).test
        index = torch.from_numpy(test.published).long()
        assert torch.equal(test.images[test.shown], mnist.test_images[index])
        assert torch.equal(test.labels[test.shown], mnist.test_labels[index])


def test_parameters_are_chosen_on_the_validation_part(mnist: Dataset) -> None:
    test = gather(FULL, on_validation=True).test
    validation = torch.from_numpy(trial_split(60_000, 7).validation)
    assert torch.equal(test.images, mnist.train_images[validation])
    assert not contains(test.images, mnist.test_images[:1000])


def test_material_depends_on_the_seed_only() -> None:
    one, again, other = (gather(Scenario(seed=seed)) for seed in (7, 7, 8))
    assert torch.equal(one.relearn.images, again.relearn.images)
    assert torch.equal(one.forget.images, again.forget.images)
    assert not torch.equal(one.relearn.images, other.relearn.images)
    assert (one.forget.seed, other.forget.seed) == (7, 8)


@pytest.mark.parametrize("preset", ["classroom", "full"])
@pytest.mark.parametrize("most", [None, 3])
def test_members_are_images_that_trained_the_original_whatever_was_given(
    preset: str, most: int | None
) -> None:
    scenario = Scenario(preset=preset, forget_samples=most)
    known, new = (gather(replace(scenario, given=given)) for given in ("D_f", "D_f_new"))
    for members in (known.members(), new.members()):
        assert torch.equal(members.images, known.forget.images)
        assert torch.equal(members.labels, known.forget.labels)
    assert not contains(new.members().images, new.forget.images)


@pytest.mark.parametrize("scenario", [CLASSROOM, FULL])
def test_an_attacker_has_new_images_of_the_class_that_nobody_else_has(scenario: Scenario) -> None:
    material = gather(replace(scenario, forget=(4, 9)))
    shots = material.shots
    assert torch.bincount(shots.labels.int()).tolist() == [0, 0, 0, 0, 250, 0, 0, 0, 0, 250]
    for others in (material.forget, material.members(), material.relearn, material.test):
        assert not contains(shots.images, others.images)
    assert not material.shots_were_seen


def test_images_that_methods_were_given_are_held_back_from_an_attacker_while_others_are_left() -> (
    None
):
    few = gather(replace(CLASSROOM, given="D_f_new", forget_samples=1000))
    assert not contains(few.shots.images, few.forget.images)
    assert len(few.shots) == 195  # of the 1,195 new nines
    assert not few.shots_were_seen
    whole = gather(replace(CLASSROOM, given="D_f_new"))
    assert len(whole.shots) == len(contains(whole.shots.images, whole.forget.images)) == 250
    assert whole.shots_were_seen
