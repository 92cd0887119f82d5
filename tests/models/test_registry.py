"""The networks have the shape of the paper's, and are built the same every time."""

from dataclasses import replace
from functools import cache

import pytest
import torch

from pru_demo import models
from pru_demo.data import DATASETS
from pru_demo.models import (
    MODELS,
    build_model,
    checkpoint_name,
    function_of,
    start_pretrained,
    vit,
)
from pru_demo.models.allcnn import allcnn
from pru_demo.models.split import SplitModel, batch_norms
from pru_demo.models.vit import TokenExtractor
from tests.same import changed, frozen, same

MNIST, CIFAR10 = DATASETS["mnist"], DATASETS["cifar10"]
# All but the one that wants a GPU.
MADE_HERE = [name for name in MODELS if name != "vit-b16"]


@cache
def built(name: str, dataset: str) -> SplitModel:
    """With seed 7; to look at, in whatever mode it is."""
    return build_model(name, DATASETS[dataset], seed=7)


@pytest.mark.parametrize(
    ("name", "dataset", "count"),
    [
        ("allcnn", "mnist", 1_618_282),
        ("allcnn", "cifar10", 1_620_010),
        ("allcnn-small", "mnist", 102_178),
        ("allcnn-small", "cifar10", 102_610),
        ("resnet18", "cifar10", 11_173_962),
        ("vit-small", "cifar10", 1_205_898),
    ],
)
def test_parameter_counts(name: str, dataset: str, count: int) -> None:
    assert sum(p.numel() for p in built(name, dataset).parameters()) == count


def test_convolutions_have_no_bias() -> None:
    convolutions = [
        m for m in built("allcnn-small", "mnist").modules() if isinstance(m, torch.nn.Conv2d)
    ]
    assert len(convolutions) == 8
    assert all(m.bias is None for m in convolutions)


@pytest.mark.parametrize("name", MODELS)
def test_initial_weights_depend_on_the_seed_only(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One layer of the 86 million weights' twelve is drawn like the others.
    monkeypatch.setattr(
        vit, "TokenExtractor", lambda c, **shape: TokenExtractor(c, **(shape | {"num_layers": 1}))
    )
    before = torch.get_rng_state()
    one = frozen(build_model(name, MNIST, seed=7))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(123)
    assert same(one, frozen(build_model(name, MNIST, seed=7)))
    assert not same(one, frozen(build_model(name, MNIST, seed=8)))


@pytest.mark.parametrize("dataset", ["mnist", "cifar100"])
@pytest.mark.parametrize(
    ("name", "size"),
    [("allcnn", 192), ("allcnn-small", 48), ("resnet18", 512), ("vit-small", 128)],
)
def test_every_network_fits_grey_and_colour_images(name: str, size: int, dataset: str) -> None:
    model, spec = build_model(name, DATASETS[dataset], seed=7).eval(), DATASETS[dataset]
    images = torch.rand(2, spec.channels, spec.image_size, spec.image_size)
    with torch.no_grad():
        features = model.features(images)
        logits = model.classify(features)
    assert features.shape == (2, size)
    assert (features >= 0).all() or name == "vit-small"
    assert logits.shape == (2, len(spec.class_names))
    assert logits.isfinite().all()
    assert model.classifier.in_features == size


def test_only_the_transformers_have_no_batch_norm() -> None:
    without = {name for name in MADE_HERE if not list(batch_norms(built(name, "mnist")))}
    assert without == {"vit-small"}
    assert without == {name for name in MADE_HERE if not MODELS[name].batch_norm}


def test_nor_has_the_one_that_wants_a_gpu() -> None:
    with torch.device("meta"):
        model = function_of(MODELS["vit-b16"].entry)(3, 32, 10)
    assert not list(batch_norms(model))
    assert not MODELS["vit-b16"].batch_norm


@pytest.mark.parametrize("name", MADE_HERE)
def test_every_network_learns_in_all_its_weights(name: str) -> None:
    model = built(name, "mnist").train()
    model(torch.rand(4, 1, 28, 28)).logsumexp(1).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("name", MADE_HERE)
def test_no_network_has_dropout(name: str) -> None:
    # Methods run in train mode and are functions of their seed: dropout would draw from elsewhere.
    torch.manual_seed(1)
    model = built(name, "mnist").train()
    for layer in batch_norms(model):
        layer.eval()
    images = torch.rand(2, 1, 28, 28)
    with torch.no_grad():
        assert torch.equal(model(images), model(images))


def test_a_published_normalisation_is_the_first_layer() -> None:
    images = torch.rand(2, 3, 32, 32)
    model = build_model("allcnn-small", CIFAR10, seed=7).eval()
    plain = build_model("allcnn-small", replace(CIFAR10, mean=None, std=None), seed=7).eval()
    mean = torch.tensor([0.4914, 0.4822, 0.4465]).view(3, 1, 1)
    std = torch.tensor([0.2023, 0.1994, 0.2010]).view(3, 1, 1)
    with torch.no_grad():
        expected = plain((images - mean) / std)
        torch.testing.assert_close(model(images), expected, rtol=0, atol=1e-5)
        assert not torch.allclose(model(images), plain(images))


def test_networks_for_plain_pixels_keep_the_names_of_their_weights() -> None:
    # Shipped checkpoints know them by these names.
    assert "extractor.0.0.weight" in built("allcnn-small", "mnist").state_dict()


@pytest.mark.parametrize("name", MADE_HERE)
def test_networks_without_pretrained_weights_start_as_they_were_built(name: str) -> None:
    model = built(name, "mnist")
    before = frozen(model)
    start_pretrained(name, model)
    assert not changed(before, model)


def test_pretrained_weights_are_loaded_by_the_function_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = []
    monkeypatch.setattr(
        models, "function_of", lambda entry: lambda net: loaded.append((entry, net))
    )
    model = torch.nn.Identity()
    start_pretrained("vit-b16", model)  # type: ignore[arg-type]
    assert loaded == [("pru_demo.models.vit:load_imagenet", model)]


def test_an_entry_names_a_function() -> None:
    assert function_of("pru_demo.models.allcnn:allcnn") is allcnn
    for spec in MODELS.values():
        assert callable(function_of(spec.entry))
        assert spec.pretrained is None or callable(function_of(spec.pretrained))


def test_checkpoints_are_named_after_the_trial() -> None:
    assert checkpoint_name("mnist", "allcnn", 7) == "mnist-allcnn-seed7.safetensors"
