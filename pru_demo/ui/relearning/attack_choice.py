"""Which attack the visitor carries out; the address bar has it."""

import streamlit as st

from pru_demo.config import RunConfig, Scenario
from pru_demo.evaluation.knowledge import SHOTS
from pru_demo.experiment.attack import RATES, Attack, Kind
from pru_demo.figures.naming import forgotten_images
from pru_demo.models import MODELS
from pru_demo.ui.shared.texts import text

OTHERS, CLASS, LAST_LAYER, STATISTICS = (
    "Other classes only",
    "Images of the class, too",
    "New last layer",
    "BatchNorm only",
)
_KINDS: dict[str, Kind] = {
    OTHERS: "others",
    CLASS: "class",
    LAST_LAYER: "last_layer",
    STATISTICS: "batch_norm",
}
_FIVE, _PUBLISHED = "5", "×1"


def chosen_attack(scenario: Scenario) -> Attack:
    """Let the visitor choose among those that are possible on the network of ``scenario``."""
    kinds = [kind for kind in _KINDS if kind != STATISTICS or MODELS[scenario.model].batch_norm]
    with st.container(horizontal=True, gap="medium"):
        kind = _KINDS[_one_of("Attack", kinds, OTHERS, "attack")]
        k, rate = 0, 1
        if kind in ("class", "last_layer"):
            images = forgotten_images(scenario)
            k = int(_one_of(f"New {images}", [str(k) for k in SHOTS], _FIVE, "shots"))
        if kind in ("others", "class"):
            rates = [f"×{rate}" for rate in RATES]
            rate = int(_one_of("Learning rate", rates, _PUBLISHED, "rate").removeprefix("×"))
    return Attack(kind, k, rate)


def introduction(attack: Attack, run: RunConfig) -> str:
    """What is done to every network, in a sentence or two."""
    images = forgotten_images(run.scenario)
    faster = f" {text('relearning.faster', rate=attack.rate)}" if attack.rate > 1 else ""
    match attack.kind:
        case "class":
            return text("relearning.class_too", images=images, k=attack.k) + faster
        case "last_layer":
            return text("relearning.last_layer", images=images, k=attack.k)
        case "batch_norm":
            return text("relearning.batch_norm", images=images)
    return text("relearning.others_only", images=images) + faster


def _one_of(label: str, options: list[str], default: str, key: str) -> str:
    chosen: str = st.segmented_control(
        label, options, default=default, required=True, key=key, bind="query-params"
    )
    return chosen
