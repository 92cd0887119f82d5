"""Networks take pixels; the normalisation is theirs, and no weight."""

import torch
import torch.nn.functional as F

from pru_demo.data.samples import as_input
from pru_demo.models.checkpoints import load_weights
from pru_demo.models.split import Normalise, SplitModel, normalised
from tests.same import frozen

MEAN, STD = (0.5, 0.25, 0.0), (0.5, 0.1, 2.0)


def test_each_channel_loses_its_mean_and_is_divided_by_its_deviation() -> None:
    pixels = torch.ones(2, 3, 4, 4)
    channels = Normalise(MEAN, STD)(pixels)[1, :, 2, 3]
    torch.testing.assert_close(channels, torch.tensor([1.0, 7.5, 0.5]))
    assert torch.equal(pixels, torch.ones(2, 3, 4, 4))


def test_the_constants_are_in_no_checkpoint() -> None:
    layer = Normalise(MEAN, STD)
    assert layer.state_dict() == {}
    assert list(layer.parameters()) == []


def test_the_constants_move_and_copy_with_the_network() -> None:
    from copy import deepcopy

    layer = deepcopy(Normalise(MEAN, STD)).to(torch.float64)
    assert layer.mean.dtype == layer.std.dtype == torch.float64
    assert layer.mean.flatten().tolist() == [0.5, 0.25, 0.0]


def test_a_checkpoint_of_a_normalised_network_loads_into_one(tiny: SplitModel) -> None:
    one, other = normalised(tiny, [0.1], [0.3]), normalised(tiny, [0.1], [0.3])
    load_weights(other, frozen(one), "x", "")
    assert not any("mean" in name and "running" not in name for name in one.state_dict())


def test_the_classifier_and_all_weights_are_those_of_the_network(tiny: SplitModel) -> None:
    model = normalised(tiny, [0.1], [0.3])
    assert model.classifier is tiny.classifier
    assert [id(p) for p in model.parameters()] == [id(p) for p in tiny.parameters()]
    x = torch.rand(3, 1, 28, 28)
    torch.testing.assert_close(model.eval()(x), tiny((x - 0.1) / 0.3))


def test_an_adversarial_step_is_one_in_pixels(tiny: SplitModel) -> None:
    model = normalised(tiny, [0.1], [0.3]).eval()
    x = torch.rand(3, 1, 28, 28, requires_grad=True)
    F.cross_entropy(model(x), torch.tensor([1, 2, 3])).backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    with torch.no_grad():
        step = 0.1 * x.grad.sign()
        moved = model.features(x + step) - tiny.features((x - 0.1) / 0.3 + step / 0.3)
    assert moved.abs().max() < 1e-5


def test_the_layout_of_the_images_is_kept() -> None:
    images = as_input(torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8))
    assert Normalise(MEAN, STD)(images).is_contiguous(memory_format=torch.channels_last)
