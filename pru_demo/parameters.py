"""What can be set about each method, with the bounds within which it makes sense."""

from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeGuard


def _bounded(low: float, high: float, **default: Any) -> Any:
    return field(metadata={"bounds": (low, high)}, **default)


def _one_of(default: Any, *others: Any) -> Any:
    return field(default=default, metadata={"choices": (default, *others)})


def _later(made: Any) -> Any:
    """A field that came when there were records: at its default nothing names it, keys neither."""
    return field(default=made.default, metadata={**made.metadata, "later": True})


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


@dataclass(frozen=True, kw_only=True)
class RehearsalParams(_Checked):
    """Pseudo-rehearsal, for every method that sees only D_f: ``methods/rehearsal.py``. Off at 0.

    ``rehearsal_pool`` images are kept; ``rehearsal_share`` of every batch comes from them, all
    predicted classes equally often if ``rehearsal_balanced``. ``rehearsal_warp`` scales how far an
    image is warped; up to ``rehearsal_combined`` warps make one. At a ``rehearsal_weight`` of 0 the
    pool's L_p teaches nothing, but BatchNorm still sees the images.
    """

    rehearsal_pool: int = _later(_bounded(0, 20_000, default=0))
    rehearsal_share: float = _later(_bounded(0.1, 0.9, default=0.5))
    rehearsal_weight: float = _later(_bounded(0.0, 100.0, default=1.0))
    rehearsal_warp: float = _later(_bounded(0.0, 1.5, default=1.0))
    rehearsal_combined: int = _later(_bounded(1, 6, default=4))
    rehearsal_balanced: bool = _later(_one_of(True, False))


@dataclass(frozen=True)
class MaskParams(_Checked):
    """The control that covers the answer, in one step: ``bias`` of the forgotten classes."""

    bias: float = _bounded(-100.0, 0.0, default=-20.0)
    epochs = 1


@dataclass(frozen=True)
class PRUParams(RehearsalParams):
    """Perception Revising Unlearning; symbols as in the paper, defaults as in Eq. 3–5."""

    learning_rate_E: float = _bounded(0.0, 1.0)
    learning_rate_C: float = _bounded(0.0, 1.0)
    epochs: int = _bounded(1, 50, default=10)
    # Weights of the E step's losses; the C step has L_p alone.
    lambda_p: float = _bounded(0.0, 100.0, default=1.0)
    lambda_o: float = _bounded(0.0, 100.0, default=1.0)
    lambda_s: float = _bounded(0.0, 100.0, default=1.0)
    # The released code trains the extractor in the C step too; the paper says the classifier.
    c_step_updates: Literal["classifier", "extractor"] = _one_of("classifier", "extractor")
    # Table 4 of the paper replaces L_p, in both steps, by cross-entropy with the new labels.
    l_p_form: Literal["KL", "cross-entropy"] = _one_of("KL", "cross-entropy")
    # Eq. 4 to the letter pools all pairs (micro); the released code averages per cluster first.
    averaging: Literal["macro", "micro"] = _one_of("macro", "micro")
    lp_epsilon: float = _bounded(0.0, 1e-2, default=0.0)
    # The released code runs two forward passes per E step, so BatchNorm moves twice.
    batch_norm_updates: int = _bounded(1, 2, default=1)
    batch_norm: Literal["train", "frozen"] = _one_of("train", "frozen")
    batch_size: int = _bounded(2, 1024, default=128)
    momentum: float = _bounded(0.0, 0.99, default=0.9)
    weight_decay: float = _bounded(0.0, 0.1, default=1e-4)


@dataclass(frozen=True)
class FineTuningParams(RehearsalParams):
    """SGD over all weights: what most methods have in common. Random label and DELETE have no more.

    Their sources have no weight decay, so it is no field here and no record names it.
    """

    learning_rate: float = _bounded(0.0, 1.0)
    epochs: int = _bounded(1, 50, default=10)
    batch_size: int = _bounded(2, 1024, default=128)
    momentum: float = _bounded(0.0, 0.99, default=0.9)
    weight_decay = 0.0


@dataclass(frozen=True)
class BoundaryShrinkParams(FineTuningParams):
    """Boundary Shrink (Chen et al., CVPR 2023). ``epsilon`` is in units of the pixel range 0..1.

    ``exclude_forget`` never lets a failed attack keep the forgotten label; the source does.
    """

    batch_size: int = _bounded(2, 1024, default=64)
    epsilon: float = _bounded(0.0, 1.0, default=0.1)
    attack: Literal["fgsm", "pgd"] = _one_of("fgsm", "pgd")
    exclude_forget: bool = _one_of(False, True)


@dataclass(frozen=True)
class BoundaryExpandingParams(FineTuningParams):
    """Boundary Expanding (Chen et al., CVPR 2023)."""

    batch_size: int = _bounded(2, 1024, default=64)


@dataclass(frozen=True)
class SpotterParams(FineTuningParams):
    """Spotter (Ha et al., ICML 2026), defaults as in its released notebook.

    Neighbours are made in ``pgd_steps`` of ``pgd_step`` within ``epsilon``, in units of the pixel
    range 0..1.
    """

    learning_rate: float = _bounded(0.0, 1.0, default=1e-4)
    weight_decay: float = _bounded(0.0, 0.1, default=5e-4)
    # Weights of L_p on the images, of L_p on their neighbours, and of the features' similarity.
    lambda_images: float = _bounded(0.0, 100.0, default=0.7)
    lambda_neighbours: float = _bounded(0.0, 100.0, default=0.3)
    lambda_similarity: float = _bounded(0.0, 100.0, default=1.0)
    epsilon: float = _bounded(0.0, 1.0, default=0.03)
    pgd_step: float = _bounded(0.0, 1.0, default=0.01)
    pgd_steps: int = _bounded(1, 50, default=3)
    batch_norm: Literal["train", "frozen"] = _one_of("frozen", "train")


@dataclass(frozen=True)
class SalUnParams(FineTuningParams):
    """SalUn (Fan et al., ICLR 2024), D_f only. ``share`` of the weights may move."""

    share: float = _bounded(0.01, 1.0, default=0.5)


@dataclass(frozen=True)
class NegativeGradientParams(FineTuningParams):
    """Gradient ascent. A sample counts until its cross-entropy (nats) reaches ``loss_cap``."""

    momentum: float = _bounded(0.0, 0.99, default=0.0)
    loss_cap: float = _bounded(0.1, 100.0, default=10.0)


@dataclass(frozen=True)
class SCRUBParams(_Checked):
    """SCRUB (Kurmanji et al., NeurIPS 2023): α·KL + γ·CE on D_r at temperature T."""

    learning_rate: float = _bounded(0.0, 1.0, default=5e-4)
    epochs: int = _bounded(1, 50, default=5)
    batch_size: int = _bounded(2, 1024, default=64)
    momentum: float = _bounded(0.0, 0.99, default=0.9)
    weight_decay: float = _bounded(0.0, 0.1, default=5e-4)
    alpha: float = _bounded(0.0, 10.0, default=0.5)
    gamma: float = _bounded(0.0, 10.0, default=1.0)
    temperature: float = _bounded(0.1, 100.0, default=4.0)
    forget_epochs: int = _bounded(0, 50, default=3)


@dataclass(frozen=True)
class UnrollParams(_Checked):
    """Unrolling SGD, which is plain: ``learning_rate`` is η, ``sigma`` is σ.

    See ``docs/methods.md``, "Unrolling".
    """

    learning_rate: float = _bounded(0.0, 1.0)
    sigma: float = _bounded(0.0, 10.0)
    epochs: int = _bounded(1, 50, default=1)
    batch_size: int = _bounded(2, 1024, default=128)
    momentum = weight_decay = 0.0


@dataclass(frozen=True)
class RetrainParams(_Checked):
    """Training afresh on the retain set; the settings are those of the original.

    ``start`` names the network of the registry with whose pretrained weights the original's
    training began, "" for none.
    """

    learning_rate: float = _bounded(0.0, 1.0)
    weight_decay: float = _bounded(0.0, 0.1)
    epochs: int = _bounded(1, 100, default=10)
    batch_size: int = _bounded(2, 1024, default=64)
    start: str = ""


Params = (
    NoParams
    | MaskParams
    | PRUParams
    | FineTuningParams
    | SCRUBParams
    | UnrollParams
    | RetrainParams
)


def rehearses(params: Params) -> TypeGuard[RehearsalParams]:
    """Whether there is a pool; without one nothing else of rehearsal has an effect."""
    return isinstance(params, RehearsalParams) and params.rehearsal_pool > 0


def as_json(params: Params) -> dict[str, Any]:
    """Names and values, for records and keys; fields that came later only if they were set.

    Without a pool nothing of rehearsal is named.
    """
    idle = set() if rehearses(params) else {each.name for each in fields(RehearsalParams)}
    values = {each: getattr(params, each.name) for each in fields(params) if each.name not in idle}
    return {
        each.name: value
        for each, value in values.items()
        if not (each.metadata.get("later") and value == each.default)
    }


@dataclass(frozen=True)
class TrainingParams:
    """SGD at a constant learning rate: no schedule, no clipping, weights of the last epoch."""

    epochs: int
    learning_rate: float
    weight_decay: float
    momentum: float = 0.9
    batch_size: int = 64
