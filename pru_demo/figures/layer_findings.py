"""Sentences on what unlearning changed inside, with the numbers in them computed."""

from collections.abc import Mapping, Sequence
from typing import Any

from pru_demo.experiment.record import RunRecord
from pru_demo.figures.findings import failure_finding, percent
from pru_demo.figures.layers import ROUNDING, Measured, distinct, known_layers
from pru_demo.figures.naming import forgotten_images, is_yardstick, listed, pick_name
from pru_demo.models import MODELS

# Below this share of what was forgotten, BatchNorm had little to do with it; above, nearly all.
LITTLE, NEARLY_ALL = 10.0, 90.0
CLASSIFIER = "classifier"
# Smaller differences of CKA are not worth a word.
AS_LIKE = 0.05


def inside_finding(record: RunRecord, run: Measured | None) -> str:
    """What is known of where a run changed, as far as it has been measured."""
    said = [failure_finding(record)] if record.failure else []
    if run is None:
        said.append(f"**{pick_name(record.config.pick)}** has not been measured yet.")
    else:
        said.append(change_finding(run))
    return " ".join(filter(None, [*said, hidden_finding(record)]))


def change_finding(run: Measured) -> str:
    """Where a run changed its weights most, and how much its classifier."""
    name = f"**{pick_name(run.config.pick)}**"
    if run.method == "original":
        return f"{name} is where all others started: nothing has moved."
    changes = _by_name(run, "blocks", "relative")
    if not changes:
        return f"{name} has no layer whose change is a number."
    largest = max(changes, key=lambda layer: changes[layer])
    where = "the classifier" if largest == CLASSIFIER else largest
    if run.method == "retrain":
        return (
            f"{name} was not moved but trained anew, from {start_of(run)}. It differs from the "
            f"original most in **{where}**: by {_share(changes[largest])} of the weights' size."
        )
    if changes[largest] < ROUNDING:
        return f"{name} left the weights of every layer where they were."
    text = f"{name} moved **{where}** most: its weights by {_share(changes[largest])} of their size"
    if largest != CLASSIFIER:
        rest = changes.get(CLASSIFIER)
        return f"{text}." if rest is None else f"{text}, those of the classifier {_amount(rest)}."
    others = max((c for layer, c in changes.items() if layer != CLASSIFIER), default=0.0)
    return f"{text}, those of all other layers {_amount(others, 'by at most ')}."


def start_of(retrained: Measured) -> str:
    """Where the training of Retrain began."""
    pretrained = MODELS[retrained.config.scenario.model].pretrained
    return "the same pretrained weights" if pretrained else "other random weights"


def hidden_finding(record: RunRecord) -> str:
    """How much of its forgetting lies in BatchNorm: what the control alone brings back of it.

    "" where there was no control or nothing to forget, and for controls, which only hide.
    """
    if record.batch_norm_only is None or is_yardstick(record.config.pick):
        return ""
    name, images = pick_name(record.config.pick), forgotten_images(record.config.scenario)
    before, after = record.snapshots[0].A_f, record.snapshots[record.unlearned].A_f
    forgot, back = before - after, record.batch_norm_only["A_f"] - after
    if forgot < 1:
        return f"{name} forgot none of the {images}."
    share = min(100.0, max(0.0, 100 * back / forgot))
    verdict = "its forgetting lies partly in BatchNorm"
    if share < LITTLE:
        verdict = "its forgetting lies in the weights"
    elif share > NEARLY_ALL:
        verdict = "its forgetting lay in BatchNorm"
    return (
        f"With BatchNorm's statistics refreshed and no weight touched, {percent(share)} of what it "
        f"forgot is back: {verdict}."
    )


def drift_finding(run: Measured) -> str:
    """What Eq. 6 does not see of a run; "" for the references."""
    if run.is_reference:
        return ""
    means, changes = _by_name(run, "batch_norm", "mean"), _by_name(run, "blocks", "relative")
    if not means or not changes:
        return ""
    furthest = max(means, key=lambda layer: means[layer])
    if not means[furthest]:
        return f"**{pick_name(run.config.pick)}** left BatchNorm's statistics where they were."
    return (
        f"**{pick_name(run.config.pick)}** moved no layer's weights by more than "
        f"{_share(max(changes.values()))}, but its BatchNorm means by up to "
        f"{means[furthest]:.2f} standard deviations ({furthest})."
    )


def likeness_finding(run: Measured, original: Measured | None) -> str:
    """How much alike the forgotten images still look at the last extractor layer.

    ``original`` says how much alike the original and Retrain are, from which all started.
    """
    name, images = pick_name(run.config.pick), forgotten_images(run.config.scenario)
    kept = _end(run, run.measures["layers"]["cka_to_original"])
    if run.method == "original" or kept is None:
        return ""
    text = f"**{name}** ends with {kept:.2f} of likeness to the original on the {images}"
    near = _end(run, run.measures["layers"]["cka_to_retrained"])
    start = None
    if original is not None:
        start = _end(original, original.measures["layers"]["cka_to_retrained"])
    if run.method == "retrain" or near is None or start is None:
        return f"{text}."
    verdict = "**further from it**"
    if abs(near - start) < AS_LIKE:
        verdict = "neither nearer nor further"
    elif near > start:
        verdict = "**nearer to it**"
    return (
        f"{text}, and {near:.2f} to Retrain. The original has {start:.2f} to Retrain, so "
        f"forgetting brought it {verdict}."
    )


def layer_knowledge_finding(
    run: Measured, original: Measured | None, retrained: Measured | None
) -> str:
    """Where the class is found most easily in ``run``, beside the same layer of the references;
    "" for these, and for a run that was not measured so."""
    known = {name: each.mean for name, each in known_layers(run).items() if each.mean is not None}
    if run.is_reference or not known:
        return ""
    best = max(known, key=lambda layer: known[layer])
    beside = [
        f"{title} {there.mean:.4f}"
        for title, reference in (("Original", original), ("Retrain", retrained))
        if reference is not None
        and (there := known_layers(reference).get(best)) is not None
        and there.mean is not None
    ]
    rest = f"; there {listed(beside)}" if beside else ""
    images = forgotten_images(run.config.scenario)
    return (
        f"**{pick_name(run.config.pick)}**: {images} are found most easily after **{best}** "
        f"(AUC {known[best]:.4f}{rest})."
    )


def _end(run: Measured, layers: Sequence[Mapping[str, Any]] | None) -> float | None:
    """CKA on the forgotten images where the extractor ends."""
    if layers is None:
        return None
    value: float | None = distinct(layers)[-2]["forgotten"]
    return value


def _by_name(run: Measured, kind: str, value: str) -> dict[str, float]:
    """Readable name → number, for all layers that have one."""
    layers = run.measures["layers"][kind]
    pairs = zip(run.names(layers), layers, strict=True)
    return {name: layer[value] for name, layer in pairs if layer[value] is not None}


def _share(change: float) -> str:
    return percent(100 * change) if change >= 0.001 else f"{100 * change:.2f} %"


def _amount(change: float, by: str = "by ") -> str:
    return "not at all" if change < ROUNDING else f"{by}{_share(change)}"
