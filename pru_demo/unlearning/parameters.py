"""What can be set about each method, with the bounds within which it makes sense."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal


def _bounded(low: float, high: float, **default: Any) -> Any:
    return field(metadata={"bounds": (low, high)}, **default)


class _Checked:
    """Refuses values outside the bounds that a field declares."""

    def __post_init__(self) -> None:
        for each in fields(self):  # type: ignore[arg-type]
            low, high = each.metadata.get("bounds", (None, None))
            value = getattr(self, each.name)
            if low is not None and not low <= value <= high:
                raise ValueError(f"{each.name} must lie between {low} and {high}, not {value}.")
            choices = each.metadata.get("choices", (value,))
            if value not in choices:
                raise ValueError(f"{each.name} must be one of {choices}, not {value!r}.")


@dataclass(frozen=True)
class NoParams(_Checked):
    """For the original model, which is left as it is."""


@dataclass(frozen=True)
class PRUParams(_Checked):
    """Perception Revising Unlearning; symbols as in the paper, defaults as in Eq. 3–5."""

    learning_rate_E: float = _bounded(0.0, 1.0)
    learning_rate_C: float = _bounded(0.0, 1.0)
    epochs: int = _bounded(1, 50, default=10)
    lambda_o: float = _bounded(0.0, 100.0, default=1.0)
    lambda_s: float = _bounded(0.0, 100.0, default=1.0)
    # The released code trains the extractor in the C step too; the paper says the classifier.
    c_step_updates: Literal["classifier", "extractor"] = field(
        default="classifier", metadata={"choices": ("classifier", "extractor")}
    )
    lp_epsilon: float = _bounded(0.0, 1e-2, default=0.0)
    # The released code runs two forward passes per E step, so BatchNorm moves twice.
    batch_norm_updates: int = _bounded(1, 2, default=1)
    batch_size: int = _bounded(2, 1024, default=128)
    momentum: float = _bounded(0.0, 0.99, default=0.9)
    weight_decay: float = _bounded(0.0, 0.1, default=1e-4)


@dataclass(frozen=True)
class BoundaryShrinkParams(_Checked):
    """Boundary Shrink (Chen et al., CVPR 2023). ``epsilon`` is in units of the pixel range 0..1."""

    learning_rate: float = _bounded(0.0, 1.0)
    epsilon: float = _bounded(0.0, 1.0, default=0.1)
    epochs: int = _bounded(1, 50, default=10)
    batch_size: int = _bounded(2, 1024, default=64)
    momentum: float = _bounded(0.0, 0.99, default=0.9)


@dataclass(frozen=True)
class RetrainParams(_Checked):
    """Training from scratch on the retain set; the settings are those of the original."""

    learning_rate: float = _bounded(0.0, 1.0)
    weight_decay: float = _bounded(0.0, 0.1)
    epochs: int = _bounded(1, 100, default=10)


Params = NoParams | PRUParams | BoundaryShrinkParams | RetrainParams


def as_json(params: Params) -> Mapping[str, Any]:
    """Names and values, for records."""
    return {each.name: getattr(params, each.name) for each in fields(params)}
