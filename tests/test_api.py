"""A stranger's network forgets in one call and stays what it was."""

import doctest
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pru_demo
from pru_demo import api
from pru_demo.methods import METHODS
from pru_demo.parameters import PRUParams
from tests.same import changed, frozen

pytestmark = pytest.mark.usefixtures("one_thread")


class Stranger(nn.Module):
    """Its own class, and a head that is registered under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 5, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()
        )
        self.head = nn.Linear(4 * 36, 10)
        self.alias = self.head

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(images))
        return logits


@pytest.fixture(scope="module")
def _trained_stranger(few: Any) -> Stranger:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Stranger()
        images, labels = few(40, tuple(range(10)))
        optimizer = torch.optim.Adam(network.parameters(), 0.01)
        for _ in range(30):
            loss = nn.functional.cross_entropy(network(images / 255), labels.long())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return network.eval()


@pytest.fixture
def stranger(_trained_stranger: Stranger) -> Stranger:
    return deepcopy(_trained_stranger)


def test_the_example_of_the_documentation_runs() -> None:
    result = doctest.testmod(api)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("method", [name for name in METHODS if name != "retrain"])
def test_every_method_works_on_a_strangers_network(
    method: str, stranger: Stranger, few: Any
) -> None:
    before = frozen(stranger)
    result = pru_demo.unlearn(
        stranger, *few(30, (9,)), forget={9}, method=method, retain=few(20, (3, 4))
    )
    assert not changed(before, stranger)
    assert isinstance(result.model, Stranger)
    assert result.model is not stranger
    assert result.model.alias is result.model.head
    assert result.model(few(2, (1,))[0] / 255).shape == (2, 10)
    assert bool(result.trace) == (method != "original")


def test_it_forgets_the_class(stranger: Stranger, few: Any) -> None:
    images, labels = few(30, (9,))
    assert (stranger(images / 255).argmax(1) == 9).float().mean() > 0.8
    params = PRUParams(learning_rate_E=0.02, learning_rate_C=0.1, batch_size=10)
    result = pru_demo.unlearn(stranger, images, labels, forget={9}, params=params)
    assert (result.model(images / 255).argmax(1) == 9).float().mean() < 0.2
    assert [step.phase for step in result.trace[:2]] == ["E", "C"]
    assert result.trace[-1].losses["L_p"] < result.trace[0].losses["L_p"]


def test_single_parameters_can_be_changed(stranger: Stranger, few: Any) -> None:
    images, labels = few(12, (9,))
    asked = {"epochs": 2, "lambda_s": 0, "c_step_updates": "extractor"}
    result = pru_demo.unlearn(stranger, images, labels, forget={9}, changes=asked)
    assert len(result.trace) == 4
    assert "L_s" not in result.trace[0].losses
    params = PRUParams(learning_rate_E=0.02, learning_rate_C=0.1, epochs=7)
    result = pru_demo.unlearn(
        stranger, images, labels, forget={9}, params=params, changes={"epochs": 1}
    )
    assert len(result.trace) == 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"changes": {"lambda_s": -1}},
            "The call asks for lambda_s “-1”; it must be a number from 0 to 100.",
        ),
        ({"changes": {"epochs": 1.5}}, "must be a whole number from 1 to 50."),
        ({"changes": {"lambda_s": float("nan")}}, "must be a number from 0 to 100."),
        ({"changes": {"lamda_s": 1}}, "The call asks for “lamda_s”, but there are learning_rate_E"),
        ({"method": "magic"}, "There is no method 'magic'"),
        ({"method": "scrub"}, "needs retain"),
        ({"forget": {8}}, "images of class 9, which forget"),
        ({"forget": set(range(1, 10))}, "leave two"),
        ({"forget": {9, 10}}, "classes 0 to 9"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    changes: dict[str, Any], sentence: str, stranger: Stranger, few: Any
) -> None:
    arguments = {"forget": {9}, **changes}
    with pytest.raises(ValueError, match=sentence):
        pru_demo.unlearn(stranger, *few(4, (9,)), **arguments)


def test_pixels_outside_0_to_1_are_refused_by_the_attack(stranger: Stranger, few: Any) -> None:
    images, labels = few(4, (9,))
    with pytest.raises(ValueError, match="between 0 and 1"):
        pru_demo.unlearn(stranger, images / 100, labels, forget={9}, method="boundary_shrink")


def test_importing_the_package_does_not_import_torch() -> None:
    import subprocess
    import sys

    code = "import sys, pru_demo; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
