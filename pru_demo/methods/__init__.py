"""Which methods exist. A new one is one file, one line here and its values in ``values.py``.

The registry imports no torch, because the web process only lists methods; what runs is named by
``entry`` and imported where it runs.
"""

from dataclasses import dataclass

from pru_demo import settings as values
from pru_demo.settings import Values


@dataclass(frozen=True)
class Method:
    """A method as the application knows it.

    ``needs_retain`` methods are handed D_r; all others never see a remaining image.
    ``steps_per_epoch`` is how often it yields. ``values`` has the variants there are. A
    ``resumable`` method takes a ``Resume``, and its steps at the end of an epoch have a ``state``.
    """

    label: str
    short: str
    needs_retain: bool
    description: str
    source: str
    entry: str
    steps_per_epoch: int
    values: Values
    resumable: bool = False


METHODS: dict[str, Method] = {
    "pru": Method(
        "PRU",
        "PRU",
        False,
        "moves the features of the forgotten class into its neighbours' clusters, then the "
        "classifier to match",
        "Perception Revising Unlearning, ACML 2024",
        "pru_demo.methods.pru:pru",
        2,
        values.PRU,
        resumable=True,
    ),
    "boundary_shrink": Method(
        "Boundary Shrink",
        "BoundShrink",
        False,
        "relabels every forgotten image with the class just across the decision boundary",
        "Chen et al., Boundary Unlearning, CVPR 2023",
        "pru_demo.methods.boundary_shrink:boundary_shrink",
        1,
        values.BOUNDARY_SHRINK,
        resumable=True,
    ),
    "boundary_expanding": Method(
        "Boundary Expanding",
        "BoundExpand",
        False,
        "gives the forgotten images a class of their own, which is then cut off",
        "Chen et al., Boundary Unlearning, CVPR 2023",
        "pru_demo.methods.boundary_expanding:boundary_expanding",
        1,
        values.BOUNDARY_EXPANDING,
        resumable=True,
    ),
    "delete": Method(
        "DELETE",
        "DELETE",
        False,
        "distils the original with the forgotten class masked out: PRU's L_p and nothing else",
        "Zhou et al., CVPR 2025",
        "pru_demo.methods.delete:delete",
        1,
        values.DELETE,
        resumable=True,
    ),
    "unroll_of": Method(
        "UnrollOF",
        "UnrollOF",
        False,
        "learns the forgotten images once more and steps back along their gradients",
        "Thudi et al., Unrolling SGD, EuroS&P 2022, as the PRU paper adapts it",
        "pru_demo.methods.unrolling:unroll_of",
        1,
        values.UNROLL_OF,
    ),
    "random_label": Method(
        "Random label",
        "RandLabel",
        False,
        "trains on labels drawn among the other classes",
        "a common baseline",
        "pru_demo.methods.relabelling:random_label",
        1,
        values.RANDOM_LABEL,
        resumable=True,
    ),
    "negative_gradient": Method(
        "Negative gradient",
        "NegGrad",
        False,
        "raises the loss of the forgotten images",
        "a common baseline",
        "pru_demo.methods.negative_gradient:negative_gradient",
        1,
        values.NEGATIVE_GRADIENT,
        resumable=True,
    ),
    "salun": Method(
        "SalUn",
        "SalUn",
        False,
        "random labels, moving only the half of the weights that matter most for the class",
        "Fan et al., ICLR 2024, without its retain half",
        "pru_demo.methods.relabelling:salun",
        1,
        values.SALUN,
        resumable=True,
    ),
    "unroll": Method(
        "Unroll",
        "Unroll",
        True,
        "UnrollOF with an epoch on all other images in between",
        "Thudi et al., Unrolling SGD, EuroS&P 2022, as the PRU paper adapts it",
        "pru_demo.methods.unrolling:unroll",
        1,
        values.UNROLL,
    ),
    "scrub": Method(
        "SCRUB",
        "SCRUB",
        True,
        "disobeys the original on the forgotten images and obeys it on all others",
        "Kurmanji et al., NeurIPS 2023",
        "pru_demo.methods.scrub:scrub",
        1,
        values.SCRUB,
        resumable=True,
    ),
    "retrain": Method(
        "Retrain",
        "Retrain",
        True,
        "never saw the class: trained from scratch on everything else",
        "the reference of the paper",
        "pru_demo.methods.references:retrain",
        1,
        values.RETRAIN,
        resumable=True,
    ),
    "original": Method(
        "Original",
        "Original",
        False,
        "the network before anything was forgotten",
        "the control of the paper",
        "pru_demo.methods.references:keep",
        0,
        values.ORIGINAL,
    ),
}
