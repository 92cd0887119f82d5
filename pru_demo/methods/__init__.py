"""Which methods exist. A new one is one file and one line here, with its values in ``settings.py``.

The registry imports no torch, because the web process only lists methods; what runs is named by
``entry`` and imported where it runs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pru_demo import settings
from pru_demo.models import function_of
from pru_demo.parameters import rehearses
from pru_demo.settings import Values

if TYPE_CHECKING:
    from pru_demo.methods.step import ForgetSet, Resume, RetainSet, Step
    from pru_demo.models.split import SplitModel
    from pru_demo.parameters import Params


@dataclass(frozen=True)
class Method:
    """A method as the application knows it.

    Attributes:
        label: its name in sentences.
        short: its name where there is little room.
        description: what it does, in half a sentence.
        source: where it was published.
        entry: ``module:function``; the function is described by ``step.py``.
        values: the variants there are.
        needs_retain: such a method is handed D_r; all others never see a remaining image.
        steps_per_epoch: how often it yields.
        resumable: it takes a ``Resume``, and its steps at the end of an epoch have a ``state``.
        control: it is there to be beaten, not to forget with: shown beside methods, never ranked
            among them.
    """

    label: str
    short: str
    description: str
    source: str
    entry: str
    values: Values
    needs_retain: bool = False
    steps_per_epoch: int = 1
    resumable: bool = False
    control: bool = False

    def start(
        self,
        original: "SplitModel",
        forget: "ForgetSet",
        retain: "Callable[[], RetainSet]",
        params: "Params",
        resume: "Resume | None" = None,
    ) -> "Iterator[Step]":
        """Begin to forget, or go on with it; ``retain`` is asked only by a method that needs D_r.

        One that is not resumable begins anew, whatever ``resume`` says. Where ``params`` ask for
        rehearsal, D_f comes with a pool (``methods/rehearsal.py``).
        """
        others: list[object] = [retain()] if self.needs_retain else []
        resuming = [resume] if self.resumable else []

        def begin(given: "ForgetSet") -> "Iterator[Step]":
            method: Callable[..., Iterator[Step]] = function_of(self.entry)
            return method(original, given, *others, params, *resuming)

        if rehearses(params):
            rehearsing = function_of("pru_demo.methods.rehearsal:rehearsing")
            steps: Iterator[Step] = rehearsing(begin, original, forget, params)
            return steps
        return begin(forget)


METHODS: dict[str, Method] = {
    "pru": Method(
        "PRU",
        "PRU",
        "moves the features of the forgotten class into its neighbours' clusters, then the "
        "classifier to match",
        "Perception Revising Unlearning, ACML 2024",
        "pru_demo.methods.pru:pru",
        settings.PRU,
        steps_per_epoch=2,
        resumable=True,
    ),
    "boundary_shrink": Method(
        "Boundary Shrink",
        "BoundShrink",
        "relabels every forgotten image with the class just across the decision boundary",
        "Chen et al., Boundary Unlearning, CVPR 2023",
        "pru_demo.methods.boundary_shrink:boundary_shrink",
        settings.BOUNDARY_SHRINK,
        resumable=True,
    ),
    "boundary_expanding": Method(
        "Boundary Expanding",
        "BoundExpand",
        "gives the forgotten images a class of their own, which is then cut off",
        "Chen et al., Boundary Unlearning, CVPR 2023",
        "pru_demo.methods.boundary_expanding:boundary_expanding",
        settings.BOUNDARY_EXPANDING,
        resumable=True,
    ),
    "delete": Method(
        "DELETE",
        "DELETE",
        "distils the original with the forgotten class masked out: PRU's L_p and nothing else",
        "Zhou et al., CVPR 2025",
        "pru_demo.methods.delete:delete",
        settings.DELETE,
        resumable=True,
    ),
    "spotter": Method(
        "Spotter",
        "Spotter",
        "distils the masked original on the forgotten images and their adversarial neighbours, and "
        "disperses their features",
        "Ha et al., ICML 2026",
        "pru_demo.methods.spotter:spotter",
        settings.SPOTTER,
        resumable=True,
    ),
    "unroll_of": Method(
        "UnrollOF",
        "UnrollOF",
        "learns the forgotten images once more and steps back along their gradients",
        "Thudi et al., Unrolling SGD, EuroS&P 2022, as the PRU paper adapts it",
        "pru_demo.methods.unrolling:unroll_of",
        settings.UNROLL_OF,
    ),
    "random_label": Method(
        "Random label",
        "RandLabel",
        "trains on labels drawn among the other classes",
        "a common baseline",
        "pru_demo.methods.relabelling:random_label",
        settings.RANDOM_LABEL,
        resumable=True,
    ),
    "negative_gradient": Method(
        "Negative gradient",
        "NegGrad",
        "raises the loss of the forgotten images",
        "a common baseline",
        "pru_demo.methods.negative_gradient:negative_gradient",
        settings.NEGATIVE_GRADIENT,
        resumable=True,
    ),
    "salun": Method(
        "SalUn",
        "SalUn",
        "random labels, moving only the half of the weights that matter most for the class",
        "Fan et al., ICLR 2024, without its retain half",
        "pru_demo.methods.relabelling:salun",
        settings.SALUN,
        resumable=True,
    ),
    "unroll": Method(
        "Unroll",
        "Unroll",
        "UnrollOF with an epoch on all other images in between",
        "Thudi et al., Unrolling SGD, EuroS&P 2022, as the PRU paper adapts it",
        "pru_demo.methods.unrolling:unroll",
        settings.UNROLL,
        needs_retain=True,
    ),
    "scrub": Method(
        "SCRUB",
        "SCRUB",
        "disobeys the original on the forgotten images and obeys it on all others",
        "Kurmanji et al., NeurIPS 2023",
        "pru_demo.methods.scrub:scrub",
        settings.SCRUB,
        needs_retain=True,
        resumable=True,
    ),
    "retrain": Method(
        "Retrain",
        "Retrain",
        "never saw the class: trained from scratch on everything else",
        "the reference of the paper",
        "pru_demo.methods.references:retrain",
        settings.RETRAIN,
        needs_retain=True,
        resumable=True,
    ),
    "original": Method(
        "Original",
        "Original",
        "the network before anything was forgotten",
        "the control of the paper",
        "pru_demo.methods.references:keep",
        settings.ORIGINAL,
        steps_per_epoch=0,
    ),
    "mask": Method(
        "Mask (control)",
        "Mask (control)",
        "covers the forgotten class in the last layer and trains nothing",
        "a control of ours",
        "pru_demo.methods.controls:mask",
        settings.MASK,
        control=True,
    ),
    "head_only": Method(
        "Head only (control)",
        "Head only (control)",
        "trains the last layer alone to answer as PRU asks and leaves the features as they are",
        "a control; Head Distillation, arXiv 2405.17878",
        "pru_demo.methods.controls:head_only",
        settings.HEAD_ONLY,
        resumable=True,
        control=True,
    ),
}
