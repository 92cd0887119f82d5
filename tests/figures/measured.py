"""Measures that say what a test wants them to say, of an AllCNN."""

from collections.abc import Sequence
from typing import Any

from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.figures.layers import Measured

BLOCKS = [*(f"extractor.{i}" for i in range(8)), "classifier"]
NORMS = [f"extractor.{i}.1" for i in range(8)]
SENT = [*BLOCKS[:-1], "features", "classifier"]


def measures_with(
    relative: Sequence[float | None] = (0.01,) * 9,
    mean: Sequence[float | None] = (0.1,) * 8,
    cka: Sequence[float | None] = (0.9,) * 10,
    to_retrained: Sequence[float | None] | None = (0.8,) * 10,
    accuracy: float = 0.5,
    auc: float = 0.5,
    no_attack: str = "",
    known: Sequence[float | None] | None = None,
) -> dict[str, Any]:
    """As ``experiment.inside`` gives them, of all that the page Inside reads.

    ``cka`` is on the forgotten images; all images are more alike by 0.05. ``no_attack`` says why
    there could be none. ``known`` is the k-shot AUC by layer; None: measured before there was one.
    """

    def likeness(values: Sequence[float | None]) -> list[dict[str, Any]]:
        return [
            {"name": name, "all": None if v is None else min(1.0, v + 0.05), "forgotten": v}
            for name, v in zip(SENT, values, strict=True)
        ]

    attack: dict[str, Any] = {"membership": {"accuracy": accuracy, "auc": auc, "per_side": 600}}
    if no_attack:
        attack = {"membership": None, "no_membership": no_attack}
    layers: dict[str, Any] = {}
    if known is not None:
        layers["k_shot_auc"] = [
            {"name": name, "mean": auc, "deviation": auc and 1e-3, "reason": ""}
            for name, auc in zip(SENT, known, strict=True)
        ]
    return {
        "forget_set": {"A_f": 1.5, **attack},
        "layers": {
            **layers,
            "blocks": [
                {"name": name, "relative": r} for name, r in zip(BLOCKS, relative, strict=True)
            ],
            "batch_norm": [
                {"name": name, "mean": m, "variance": m and 2 * m}
                for name, m in zip(NORMS, mean, strict=True)
            ],
            "cka_to_original": likeness(cka),
            "cka_to_retrained": None if to_retrained is None else likeness(to_retrained),
        },
    }


def measured(
    method: str = "pru",
    letter: str = "A",
    *,
    variant: str = "paper",
    pointed_out: bool = False,
    scenario: Scenario | None = None,
    **measures: Any,
) -> Measured:
    """A run on 9s, if nothing else is said, with these measures."""
    config = RunConfig(scenario or Scenario(), Pick(method, variant))
    return Measured(config, measures_with(**measures), letter, pointed_out)
