"""DELETE (Zhou et al., "Decoupled Distillation to Erase", CVPR 2025).

Distils the original with the forgotten classes masked out. With one class this is PRU's L_p over
all weights, without its other losses and without alternation: the key ablation.
"""

from collections.abc import Iterator
from copy import deepcopy

from pru_demo.methods.fine_tuning import fine_tune
from pru_demo.methods.losses import l_p
from pru_demo.methods.step import ForgetSet, Resume, Step
from pru_demo.methods.targets import redistributed_targets
from pru_demo.models.split import SplitModel
from pru_demo.parameters import FineTuningParams


def delete(
    original: SplitModel, forget: ForgetSet, params: FineTuningParams, resume: Resume | None = None
) -> Iterator[Step]:
    """Forget ``forget.classes`` using D_f only, yielding after every epoch.

    ``original`` is not changed. All forgotten classes are masked, where the source masks a
    sample's own label: else a forgotten 3 would be taught to be a forgotten 9.
    """
    targets, cost, asking = redistributed_targets(original, forget)
    return fine_tune(
        deepcopy(original),
        forget,
        params,
        resume,
        lambda logits, batch: l_p(logits, targets(batch)),
        name="L_p",
        cost_before=cost,
        asked_per_image=asking,
    )
