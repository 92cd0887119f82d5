"""How the original networks are trained. No torch here: tables of parameters refer to it."""

from dataclasses import dataclass

from pru_demo.pairs import best_match


@dataclass(frozen=True)
class TrainingParams:
    """SGD at a constant learning rate: no schedule, no clipping, weights of the last epoch."""

    epochs: int
    learning_rate: float
    weight_decay: float
    momentum: float = 0.9
    batch_size: int = 64


@dataclass(frozen=True)
class OriginalSetting:
    """Training parameters and where they come from."""

    params: TrainingParams
    origin: str


_RELEASED = "published: released code, config_original.py"
_OURS = "ours: the paper does not say"
_LENT = "not published for this pair; lent from {} ({})"
_VIT = "published: supplementary, section B (weight decay: ours)"
_VIT_PARAMS = TrainingParams(1, 1e-3, 1e-4, batch_size=32)

# spec/algorithms.md 1.3; the small AllCNN uses its big sister's settings.
ORIGINALS: dict[tuple[str, str], OriginalSetting] = {
    ("mnist", "allcnn"): OriginalSetting(TrainingParams(10, 0.01, 1e-4), _RELEASED),
    ("mnist", "*"): OriginalSetting(
        TrainingParams(10, 0.01, 1e-4), _LENT.format("mnist allcnn", _RELEASED)
    ),
    ("cifar10", "allcnn"): OriginalSetting(TrainingParams(30, 0.1, 1e-4), _RELEASED),
    ("cifar10", "resnet18"): OriginalSetting(TrainingParams(20, 0.01, 5e-4), _RELEASED),
    ("cifar10", "vit-b16"): OriginalSetting(_VIT_PARAMS, _VIT),
    ("*", "vit-b16"): OriginalSetting(_VIT_PARAMS, _LENT.format("cifar10 vit-b16", _VIT)),
    ("*", "vit-small"): OriginalSetting(TrainingParams(20, 0.03, 1e-4), _OURS),
    ("*", "resnet18"): OriginalSetting(TrainingParams(20, 0.01, 5e-4), _OURS),
    ("*", "*"): OriginalSetting(TrainingParams(20, 0.01, 1e-4), _OURS),
}


def original_setting(dataset: str, model: str) -> OriginalSetting:
    """How the original of this pair is trained."""
    return best_match(ORIGINALS, dataset, model)
