"""A stranger's network is cut before its last linear layer, and put together again."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import shufflenet_v2_x0_5

from pru_demo.methods.boundary_expanding import boundary_expanding
from pru_demo.methods.pru import pru
from pru_demo.methods.step import ForgetSet
from pru_demo.models.foreign import ForeignSplit, split_foreign
from pru_demo.models.split import SplitModel
from pru_demo.parameters import BoundaryExpandingParams, PRUParams
from tests.same import changed, frozen, same

pytestmark = pytest.mark.usefixtures("one_thread")

GREY, COLOUR = torch.rand(4, 1, 28, 28), torch.rand(4, 3, 32, 32)


def sequential() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 5, stride=4),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(144, 20),
        nn.ReLU(),
        nn.Linear(20, 10),
    )


class Aliased(nn.Module):
    """As the released ViT: the head is registered first as a part of the backbone."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.ModuleDict(
            {"body": nn.Sequential(nn.Flatten(), nn.Linear(784, 12), nn.ReLU())}
        )
        self.backbone["heads"] = nn.Sequential(nn.Linear(12, 10))
        self.classifier = self.backbone["heads"][0]

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.backbone["heads"](self.backbone["body"](images))
        return logits


class Misleading(nn.Module):
    """The linear layer that is registered last is used first."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.Linear(12, 10)
        self.body = nn.Linear(784, 12)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.body(images.flatten(1)).relu())
        return logits


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(28, 10)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(images.squeeze(1))
        return logits


class Twice(nn.Module):
    """Uses its last layer inside, too."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(784, 10)
        self.head = nn.Linear(10, 10)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.head(self.body(images.flatten(1))).relu())
        return logits


NETWORKS = [
    pytest.param(sequential, GREY, 20, id="Sequential"),
    pytest.param(lambda: shufflenet_v2_x0_5(num_classes=10), COLOUR, 1024, id="torchvision"),
    pytest.param(Aliased, GREY, 12, id="alias"),
    pytest.param(Misleading, GREY, 12, id="misleading names"),
]


def evaluated(network: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        return deepcopy(network).eval()(images)


@pytest.mark.parametrize(("make", "images", "size"), NETWORKS)
def test_the_two_halves_make_the_whole(make: type, images: Tensor, size: int) -> None:
    network = make()
    split = split_foreign(network, images).split
    with torch.no_grad():
        features = split.features(images)
        assert torch.equal(split.classify(features), evaluated(network, images))
    assert features.shape == (4, size)
    assert split.classifier.in_features == size
    assert isinstance(split, SplitModel)


@pytest.mark.parametrize(("make", "images", "size"), NETWORKS)
def test_every_weight_belongs_to_exactly_one_half(make: type, images: Tensor, size: int) -> None:
    network = make()
    split = split_foreign(network, images).split
    e, c = split.extractor_parameters(), split.classifier_parameters()
    assert sum(p.numel() for p in c) == size * 10 + 10
    assert not {id(p) for p in e} & {id(p) for p in c}
    assert sum(p.numel() for p in (*e, *c)) == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(("make", "images", "size"), NETWORKS)
def test_joining_gives_the_class_and_the_outputs_of_the_argument(
    make: type, images: Tensor, size: int
) -> None:
    network = make()
    whole = split_foreign(network, images)
    joined = whole.join(whole.split)
    assert type(joined) is type(network)
    assert same(frozen(joined), frozen(network))
    assert torch.equal(evaluated(joined, images), evaluated(network, images))


@pytest.mark.parametrize(("make", "images", "size"), NETWORKS)
def test_the_argument_is_untouched_and_shares_nothing(
    make: type, images: Tensor, size: int
) -> None:
    network = make().train()
    names = [name for name, _ in network.named_modules(remove_duplicate=False)]
    before = frozen(network)
    whole = split_foreign(network, images)
    joined = whole.join(whole.split)
    with torch.no_grad():
        for tensor in (*whole.split.state_dict().values(), *joined.state_dict().values()):
            tensor.fill_(3)
    assert not changed(before, network)
    assert network.training
    assert names == [name for name, _ in network.named_modules(remove_duplicate=False)]
    assert not any(module._forward_hooks for module in network.modules())


def test_no_hook_is_left_behind() -> None:
    split = split_foreign(sequential(), GREY).split
    assert not any(module._forward_hooks for module in split.modules())


def test_the_head_is_put_back_wherever_it_was() -> None:
    whole = split_foreign(Aliased(), GREY)
    assert set(whole.places) == {"classifier", "backbone.heads.0"}
    joined = whole.join(whole.split)
    assert isinstance(joined, Aliased)
    assert joined.classifier is joined.backbone["heads"][0]  # type: ignore[index]
    # The extractor has nothing left of it, in neither place.
    left = [m.out_features for m in whole.split.extractor.modules() if isinstance(m, nn.Linear)]
    assert left == [12]


def test_joining_copies() -> None:
    whole = split_foreign(sequential(), GREY)
    joined = whole.join(whole.split)
    before = frozen(joined)
    with torch.no_grad():
        for parameter in whole.split.parameters():
            parameter.zero_()
    assert not changed(before, joined)
    with torch.no_grad():
        assert whole.split.features(GREY).shape == (4, 20)


def unlearned(whole: ForeignSplit, nines: ForgetSet, method: str) -> SplitModel:
    steps = {
        "pru": lambda: pru(whole.split, nines, PRUParams(0.02, 0.05, epochs=1)),
        "expanding": lambda: boundary_expanding(
            whole.split, nines, BoundaryExpandingParams(0.02, epochs=1)
        ),
    }
    *_, last = steps[method]()
    return last.model


@pytest.mark.parametrize("method", ["pru", "expanding"])
@pytest.mark.parametrize("make", [sequential, Aliased])
def test_an_unlearned_split_joins_to_a_network_that_answers_like_it(
    make: type, method: str, few: object
) -> None:
    nines = ForgetSet(*few(20, (9,)), classes=frozenset({9}), seed=7)  # type: ignore[operator]
    network = make()
    whole = split_foreign(network, GREY)
    model = unlearned(whole, nines, method)
    joined = whole.join(model)
    assert type(joined) is type(network)
    assert torch.equal(evaluated(joined, GREY), evaluated(model, GREY))
    assert frozen(joined).keys() == frozen(network).keys()
    assert not same(frozen(joined), frozen(network))


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Softmax(1)),
        nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.LogSoftmax(1)),
        nn.Sequential(nn.Conv2d(1, 10, 28), nn.Flatten()),
        nn.Sequential(nn.Linear(28, 5), nn.Flatten()),
    ],
    ids=["softmax", "log-softmax", "no linear layer", "linear layer inside"],
)
def test_what_does_not_end_in_a_linear_layer_is_refused(network: nn.Module) -> None:
    before = frozen(network)
    with pytest.raises(ValueError, match=r"does not end in a linear layer.*such as a softmax\.$"):
        split_foreign(network, GREY)
    assert not changed(before, network)
    assert not any(module._forward_hooks for module in network.modules())


def test_a_linear_layer_over_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must get one vector per image\.$"):
        split_foreign(Tokens(), GREY)


def test_a_layer_that_is_used_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"used more than once: there is no place to cut\.$"):
        split_foreign(Twice(), GREY)


def test_shared_weights_are_refused() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Linear(10, 10), nn.Linear(10, 10))
    network[3].weight = network[2].weight
    with pytest.raises(ValueError, match="must not share its weights"):
        split_foreign(network, GREY)


def test_frozen_weights_are_refused() -> None:
    network = sequential()
    network[0].requires_grad_(False)  # type: ignore[index, operator]
    with pytest.raises(ValueError, match=r"call requires_grad_\(True\) on the network\.$"):
        split_foreign(network, GREY)


def test_a_batch_norm_without_momentum_is_refused() -> None:
    network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(784, momentum=None), nn.Linear(784, 10))
    with pytest.raises(ValueError, match="BatchNorm layers must have a momentum"):
        split_foreign(network, GREY)


def test_a_single_linear_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="no feature extractor"):
        split_foreign(nn.Linear(28, 10), torch.rand(4, 28))
