"""What blocks send on is what the network computes; CKA: what it must not see, and known values."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pru_demo.data import DATASETS
from pru_demo.data.samples import as_input
from pru_demo.evaluation.layer_changes import blocks_of
from pru_demo.evaluation.likeness import activations, likeness, linear_cka
from pru_demo.heartbeat import listening
from pru_demo.models import MODELS, build_model
from pru_demo.models import predict as module
from pru_demo.models.split import SplitModel
from tests.same import frozen, same

FORGOTTEN = np.arange(40) < 15


def network(name: str = "allcnn-small") -> SplitModel:
    return build_model(name, DATASETS["mnist"], seed=0)


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randint(
        0, 256, (40, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )


def hooks(model: nn.Module) -> int:
    return sum(len(each._forward_hooks) for each in model.modules())


# ViT-B/16 is built as the small one is, and takes seconds.
@pytest.mark.parametrize("name", [name for name in MODELS if name != "vit-b16"])
def test_every_network_sends_one_vector_per_image_from_every_block(
    name: str, images: Tensor
) -> None:
    model = network(name)
    sent = activations(model, images[:3])
    *blocks, classifier = [block.name for block in blocks_of(model)]
    assert list(sent) == [*blocks, "features", classifier]
    for block, vectors in sent.items():
        assert vectors.ndim == 2 and len(vectors) == 3, block
        assert vectors.dtype == np.float32
        assert np.isfinite(vectors).all() and np.ptp(vectors) > 0, block


def test_features_and_logits_are_those_of_the_network(images: Tensor) -> None:
    model = network().eval()
    sent = activations(model, images)
    with torch.no_grad():
        e = model.features(as_input(images))
        torch.testing.assert_close(torch.from_numpy(sent["features"]), e)
        torch.testing.assert_close(torch.from_numpy(sent["classifier"]), model.classify(e))


def test_a_feature_map_is_averaged_over_the_image(images: Tensor) -> None:
    model = network().eval()
    assert isinstance(model.extractor, nn.Sequential)
    with torch.no_grad():
        maps = model.extractor[:2](as_input(images))
    expected = maps.numpy().mean(axis=(2, 3))
    np.testing.assert_allclose(activations(model, images)["extractor.1"], expected, atol=1e-5)


def test_tokens_are_averaged_over_the_image(images: Tensor) -> None:
    model = network("vit-small").eval()
    seen: list[Tensor] = []
    layer = model.get_submodule("extractor.encoder.layers.encoder_layer_2")
    handle = layer.register_forward_hook(lambda _m, _i, output: seen.append(output.detach()))
    with torch.no_grad():
        model(as_input(images))
    handle.remove()
    sent = activations(model, images)["extractor.encoder.layers.encoder_layer_2"]
    np.testing.assert_allclose(sent, seen[0].numpy().mean(axis=1), atol=1e-5)


def test_batches_make_no_difference(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = activations(network(), images)
    monkeypatch.setattr(module, "measuring_batch", lambda device: 7)
    for name, vectors in activations(network(), images).items():
        np.testing.assert_allclose(vectors, whole[name], atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_left_as_it_was(images: Tensor, training: bool) -> None:
    model = network().train(training)
    before = frozen(model)
    activations(model, images)
    assert same(before, frozen(model))
    assert model.training is training
    assert hooks(model) == 0
    assert all(parameter.grad is None for parameter in model.parameters())


def test_who_interrupts_it_leaves_no_hooks_either(images: Tensor) -> None:
    def stop() -> None:
        assert hooks(model) > 0
        raise KeyboardInterrupt

    model = network().train()
    with pytest.raises(KeyboardInterrupt), listening(stop):
        activations(model, images)
    assert hooks(model) == 0
    assert model.training


def test_a_network_is_like_itself_in_every_block(images: Tensor) -> None:
    sent = activations(network(), images)
    for layer in likeness(sent, sent, FORGOTTEN):
        assert (layer.all, layer.forgotten) == pytest.approx((1, 1)), layer.name


def test_a_changed_block_changes_what_follows_and_nothing_before(images: Tensor) -> None:
    model = network()
    other = deepcopy(model)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        for parameter in other.get_submodule("extractor.4").parameters():
            parameter.copy_(torch.randn_like(parameter))
    found = {
        layer.name: layer.all
        for layer in likeness(activations(model, images), activations(other, images), FORGOTTEN)
    }
    alike = [name for name, value in found.items() if value == pytest.approx(1, abs=1e-9)]
    assert alike == [f"extractor.{i}" for i in range(4)]


RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6)) * [5, 3, 2, 1, 1, 0.5]
Y = RNG.normal(size=(300, 4)) + X[:, :4]


def test_a_network_is_like_itself() -> None:
    assert linear_cka(X, X) == pytest.approx(1, abs=1e-12)


def test_rotation_scale_and_shift_are_not_seen() -> None:
    rotation = np.linalg.qr(X[:6])[0]
    turned = 7 * X @ rotation + 100
    assert linear_cka(turned, X) == pytest.approx(1, abs=1e-9)
    assert linear_cka(turned, Y) == pytest.approx(linear_cka(X, Y), abs=1e-9)


def test_a_stretched_axis_is_seen() -> None:
    similarity = linear_cka(X * [1, 1, 1, 1, 1, 20], X)
    assert similarity is not None
    assert similarity < 0.9


def test_it_is_symmetric() -> None:
    assert linear_cka(X, Y) == pytest.approx(linear_cka(Y, X))


def test_between_single_features_it_is_the_squared_correlation() -> None:
    r = np.corrcoef(X[:, 0], Y[:, 0])[0, 1]
    assert linear_cka(X[:, :1], Y[:, :1]) == pytest.approx(r**2)


def test_half_of_two_equal_unrelated_features_is_one_over_root_two() -> None:
    both = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], dtype=np.float16)
    assert linear_cka(both, both[:, :1]) == pytest.approx(1 / np.sqrt(2))
    assert linear_cka(both[:, :1], both[:, 1:]) == 0


def test_it_equals_the_form_with_gram_matrices() -> None:
    centring = np.eye(300) - 1 / 300
    gram_x, gram_y = (centring @ f @ f.T @ centring for f in (X, Y))
    expected = (gram_x * gram_y).sum() / (np.linalg.norm(gram_x) * np.linalg.norm(gram_y))
    assert linear_cka(X, Y) == pytest.approx(expected)


def test_half_precision_is_summed_in_double() -> None:
    half = (X * 100).astype(np.float16)
    assert linear_cka(half, X) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("value", [0.0, 0.1, np.nan])
def test_features_that_do_not_vary_cannot_be_aligned(value: float) -> None:
    still = np.full((300, 3), value)
    assert linear_cka(still, X) is None
    assert linear_cka(X, still) is None


def test_the_forgotten_are_compared_among_themselves() -> None:
    forgotten = np.arange(300) < 100
    other = X.copy()
    # Only the forgotten samples see something else; from all others they stay as far as they were.
    other[forgotten] = X[:100][::-1]
    (layer,) = likeness({"e": X}, {"e": other}, forgotten)
    assert layer.forgotten == linear_cka(X[:100], X[:100][::-1])
    assert layer.all == linear_cka(X, other)
    (kept,) = likeness({"e": X}, {"e": other}, ~forgotten)
    assert kept.forgotten == pytest.approx(1)


def test_turned_blocks_are_alike_and_blocks_come_in_order() -> None:
    rotation = np.linalg.qr(X[:6])[0]
    layers = likeness({"b": X, "a": X}, {"a": Y, "b": X @ rotation}, np.arange(300) < 100)
    assert [layer.name for layer in layers] == ["b", "a"]
    assert (layers[0].all, layers[0].forgotten) == pytest.approx((1, 1))
    assert layers[1].all is not None and layers[1].all < 0.999
