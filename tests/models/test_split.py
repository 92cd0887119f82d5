"""E and C are two halves of one network, told apart by identity."""

import torch
from torch import nn

from pru_demo.models.split import SplitModel, batch_norms


def test_the_whole_is_classifier_after_extractor(tiny: SplitModel) -> None:
    x = torch.rand(5, 1, 28, 28)
    assert torch.equal(tiny(x), tiny.classify(tiny.features(x)))
    assert tiny.features(x).shape == (5, 16)


def test_every_parameter_belongs_to_exactly_one_half(tiny: SplitModel) -> None:
    e, c = (
        {id(p) for p in half()} for half in (tiny.extractor_parameters, tiny.classifier_parameters)
    )
    assert not e & c
    assert e | c == {id(p) for p in tiny.parameters()}
    assert c == {id(tiny.classifier.weight), id(tiny.classifier.bias)}


def test_a_misleading_name_does_not_move_a_parameter_to_the_other_half() -> None:
    extractor = nn.Sequential()
    extractor.add_module("classifier", nn.Linear(3, 4))
    model = SplitModel(extractor, nn.Linear(4, 2))
    assert len(model.extractor_parameters()) == 2
    assert model.classifier_parameters()[0].shape == (2, 4)


def test_batch_norms_are_found_wherever_they_are(tiny: SplitModel) -> None:
    assert [layer.num_features for layer in batch_norms(tiny)] == [4]
