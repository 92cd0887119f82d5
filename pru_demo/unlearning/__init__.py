"""Which methods exist. A new one is one file, one line here and its values in ``values.py``.

The registry imports no torch, because the web process only lists methods; what runs is named by
``entry`` and imported where it runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pru_demo.unlearning import values
from pru_demo.unlearning.values import Setting


@dataclass(frozen=True)
class Method:
    """A method as the application knows it.

    ``needs_retain`` methods are handed D_r; all others never see a remaining image.
    ``steps_per_epoch`` is how often it yields. ``parameters`` maps (data set, model) to the
    variants there are, the preferred one first.
    """

    label: str
    short: str
    needs_retain: bool
    description: str
    source: str
    entry: str
    steps_per_epoch: int
    parameters: Mapping[tuple[str, str], Mapping[str, Setting]]


METHODS: dict[str, Method] = {
    "pru": Method(
        "PRU",
        "PRU",
        False,
        "moves the features of the forgotten class into its neighbours' clusters, then the "
        "classifier to match",
        "Perception Revising Unlearning, ACML 2024",
        "pru_demo.unlearning.pru:pru",
        2,
        values.PRU,
    ),
    "boundary_shrink": Method(
        "Boundary Shrink",
        "BoundShrink",
        False,
        "relabels every forgotten image with the class just across the decision boundary",
        "Chen et al., Boundary Unlearning, CVPR 2023",
        "pru_demo.unlearning.boundary_shrink:boundary_shrink",
        1,
        values.BOUNDARY_SHRINK,
    ),
    "retrain": Method(
        "Retrain",
        "Retrain",
        True,
        "never saw the class: trained from scratch on everything else",
        "the reference of the paper",
        "pru_demo.unlearning.references:retrain",
        1,
        values.RETRAIN,
    ),
    "original": Method(
        "Original",
        "Original",
        False,
        "the network before anything was forgotten",
        "the control of the paper",
        "pru_demo.unlearning.references:keep",
        0,
        values.ORIGINAL,
    ),
}
