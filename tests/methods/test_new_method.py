"""The method that CONTRIBUTING.md shows is one file and one line, and that is all it takes."""

import re
import sys
from copy import deepcopy
from types import ModuleType

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import pru_demo
from pru_demo import settings
from pru_demo.config import Pick, Scenario, variants_of
from pru_demo.figures.naming import pick_name, stroke_of
from pru_demo.figures.palette import NEW_METHOD
from pru_demo.links import View, view_from_query
from pru_demo.methods import METHODS, Method
from pru_demo.methods.fine_tuning import fine_tune
from pru_demo.parameters import FineTuningParams
from pru_demo.paths import ROOT


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what the page says."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    code, lines = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    module = ModuleType("pru_demo.methods.my_method")
    vars(module).update(cross_entropy=cross_entropy, fine_tune=fine_tune, deepcopy=deepcopy)
    exec(code, vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)

    entry, values = lines.split("\n\nMY_METHOD = ")
    known = {"Values": settings.Values, "Setting": settings.Setting, "Method": Method}
    known |= {"FineTuningParams": FineTuningParams, "settings": settings}
    monkeypatch.setattr(settings, "MY_METHOD", eval(values, known), raising=False)
    monkeypatch.setitem(METHODS, "my_method", eval(f"{{{entry}}}", known)["my_method"])


@pytest.mark.usefixtures("shown")
def test_a_method_of_ones_own_is_found_by_links_and_figures() -> None:
    assert variants_of("my_method", Scenario()) == ("default",)
    view = View(a=Pick("my_method", "default"))
    assert view_from_query(view.query()) == (view, [])
    assert pick_name(view.a) == "My method (default)"
    assert stroke_of(view.a) == NEW_METHOD


@pytest.mark.usefixtures("shown", "one_thread")
def test_a_method_of_ones_own_unlearns_and_leaves_the_network_alone() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 4))
    before = network[1].weight.detach().clone()
    images = torch.randint(0, 256, (12, 1, 4, 4), dtype=torch.uint8)
    labels = torch.full((12,), 3)
    result = pru_demo.unlearn(network, images, labels, forget={3}, method="my_method")
    assert [step.epoch for step in result.trace] == list(range(1, 11))
    assert torch.equal(network[1].weight, before)
    assert not torch.equal(result.model[1].weight, before)
