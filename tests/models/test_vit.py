"""Transformers whose feature is the class token after the last LayerNorm."""

from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import vit_b_16

from pru_demo.data import DATASETS
from pru_demo.models import build_model, start_pretrained, vit
from pru_demo.models.split import SplitModel, batch_norms
from pru_demo.models.vit import TokenExtractor, load_imagenet, vit_b16, vit_small
from tests.same import changed, frozen


@pytest.fixture(scope="module")
def imagined() -> SplitModel:
    """ViT-B/16 without memory for its 86 million weights."""
    with torch.device("meta"):
        return vit_b16(3, 32, 10)


class Offline:
    """torchvision's weights where there is no internet."""

    def __init__(self, error: Exception) -> None:
        self.IMAGENET1K_V1 = self
        self.error = error

    def get_state_dict(self, **options: Any) -> dict[str, Tensor]:
        assert options["check_hash"]
        raise self.error


@pytest.mark.parametrize(
    ("channels", "size", "count"), [(1, 28, 1_199_882), (3, 32, 1_205_898)], ids=["grey", "colour"]
)
def test_the_small_transformer_has_1_2_million_weights(
    channels: int, size: int, count: int
) -> None:
    model = vit_small(channels, size, 10)
    assert sum(p.numel() for p in model.parameters()) == count
    with torch.no_grad():
        assert model.features(torch.rand(2, channels, size, size)).shape == (2, 128)


def test_features_are_normed_class_tokens() -> None:
    with torch.no_grad():
        features = vit_small(1, 28, 10).eval().features(torch.rand(3, 1, 28, 28))
    torch.testing.assert_close(features.mean(1), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(features.var(1, correction=0), torch.ones(3), rtol=0, atol=1e-3)


def test_features_see_every_patch() -> None:
    model = vit_small(1, 28, 10).eval()
    image = torch.zeros(50, 1, 28, 28)
    for patch in range(49):
        row, column = divmod(patch, 7)
        image[patch, 0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 1
    with torch.no_grad():
        features = model.features(image)
    assert (features[:49] - features[49]).abs().amax(1).min() > 1e-4
    assert torch.pdist(features).min() > 1e-4


def test_transformers_have_no_batch_norm(imagined: SplitModel) -> None:
    assert list(batch_norms(imagined)) == list(batch_norms(vit_small(1, 28, 10))) == []


def test_vit_b16_has_the_weights_of_torchvision_and_our_classifier(imagined: SplitModel) -> None:
    with torch.device("meta"):
        published = vit_b_16()
    head = sum(p.numel() for p in published.heads.parameters())
    count = sum(p.numel() for p in imagined.parameters())
    assert count == sum(p.numel() for p in published.parameters()) - head + 768 * 10 + 10
    assert count == 85_806_346


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32)])
def test_vit_b16_takes_small_images_and_gives_768_features(
    imagined: SplitModel, channels: int, size: int
) -> None:
    images = torch.rand(2, channels, size, size, device="meta")
    assert imagined.features(images).shape == (2, 768)
    assert imagined(images).shape == (2, 10)


@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_vit_b16_normalises_as_imagenet_whatever_the_data_set(
    dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the transformer is given
    monkeypatch.setattr(vit, "TokenExtractor", lambda *_, **__: nn.Identity())
    model = build_model("vit-b16", DATASETS[dataset], seed=7)
    grey = torch.full((1, DATASETS[dataset].channels, 28, 28), 0.5)
    shown = model.features(grey)
    assert shown.shape == (1, 3, 224, 224)
    expected = torch.tensor([(0.5 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.5 - 0.406) / 0.225])
    torch.testing.assert_close(shown[0, :, 100, 100], expected)


@pytest.mark.parametrize(
    "error",
    [URLError("no route to host"), TimeoutError("timed out"), RuntimeError("invalid hash value")],
    ids=lambda error: type(error).__name__,
)
def test_without_the_internet_one_sentence_says_what_to_do(
    error: Exception, imagined: SplitModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vit, "ViT_B_16_Weights", Offline(error))
    with pytest.raises(ValueError, match=r"^The ImageNet weights of ViT-B/16 cannot be") as caught:
        start_pretrained("vit-b16", imagined)
    assert str(error) in str(caught.value)
    assert str(caught.value).endswith("internet once, or choose another network.")
    assert "\n" not in str(caught.value)


def test_imagenet_weights_fill_all_but_the_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = {"image_size": 32, "patch_size": 16, "num_layers": 1, "num_heads": 2}
    shape |= {"hidden_dim": 8, "mlp_dim": 16}
    extractor = nn.Sequential(nn.Identity(), TokenExtractor(3, **shape))
    model = SplitModel(extractor, nn.Linear(8, 10))
    published = {
        name.removeprefix("extractor.1."): torch.full_like(tensor, 0.5)
        for name, tensor in model.state_dict().items()
        if name.startswith("extractor.")
    }
    published |= {"heads.head.weight": torch.ones(1000, 8), "heads.head.bias": torch.ones(1000)}
    weights = SimpleNamespace(get_state_dict=lambda **_: published)
    monkeypatch.setattr(vit, "ViT_B_16_Weights", SimpleNamespace(IMAGENET1K_V1=weights))
    before = frozen(model)
    load_imagenet(model)
    assert changed(before, model) == {name for name in before if name.startswith("extractor.")}
    assert all((p == 0.5).all() for p in model.extractor_parameters())


def test_the_names_of_the_weights_are_those_of_torchvision(imagined: SplitModel) -> None:
    with torch.device("meta"):
        published = vit_b_16().state_dict()
    (transformer,) = (m for m in imagined.modules() if isinstance(m, TokenExtractor))
    body = {name: t.shape for name, t in published.items() if not name.startswith("heads.")}
    assert {name: t.shape for name, t in transformer.state_dict().items()} == body


def test_fresh_values_are_distributed_as_torchvisions() -> None:
    torch.manual_seed(0)
    shape = {"image_size": 28, "patch_size": 4, "num_layers": 2, "num_heads": 2}
    shape |= {"hidden_dim": 64, "mlp_dim": 128}
    ours = dict(TokenExtractor(3, **shape).named_parameters())
    theirs = dict(vit.VisionTransformer(**shape).named_parameters())
    for name, parameter in ours.items():
        expected = theirs[name]
        if expected.unique().numel() == 1:
            assert torch.equal(parameter, expected), name
        else:
            assert parameter.std().item() == pytest.approx(expected.std().item(), rel=0.3), name
