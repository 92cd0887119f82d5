"""The operator's choice counts, and a wrong one is explained."""

import pytest
import torch

from pru_demo.device import ENVIRONMENT_VARIABLE, choose_device, describe


@pytest.mark.parametrize(("gpu", "expected"), [(True, "cuda"), (False, "cpu")])
def test_a_gpu_is_used_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, gpu: bool, expected: str
) -> None:
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert choose_device().type == expected


def test_the_environment_overrides_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device() == torch.device("cpu")


@pytest.mark.parametrize("wanted", ["banana", "cuda:99", "mps" * 9, "cpu; rm -rf /", "-1"])
def test_a_device_that_is_not_there_is_explained(
    monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, wanted)
    with pytest.raises(ValueError, match="is not a device of this machine") as caught:
        choose_device()
    assert repr(wanted) in str(caught.value)
    assert "Use cpu or cuda" in str(caught.value)


def test_a_processor_is_described_with_its_threads(one_thread: None) -> None:
    assert describe(torch.device("cpu")).startswith("CPU (")
    assert describe(torch.device("cpu")).endswith(", 1 threads)")
