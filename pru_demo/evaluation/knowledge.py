"""How much a network still knows, between Original, which knows all, and Retrain, which knows none.

Plain Python: pages say it, too. An AUC itself says little: Retrain, which never met a 9, finds 9s
with one of 0.98, because an image of another kind is easily told from those it knows. What counts
is how rarely an attack errs, so the scale is log(1 − AUC).
"""

import math
from dataclasses import dataclass

# How many images the attacker has, and how often they are drawn.
SHOTS = (1, 5, 50)
DRAWS = 10

# What is left of 1 − AUC where an attack never errs: half a wrong pair among the 600 · 900 of the
# shown samples.
LEAST_ERROR = 1e-6
# Standard errors within which two means are taken for equal.
CLOSE = 2.0


@dataclass(frozen=True)
class KShotAUC:
    """Mean and sample deviation of an AUC (0..1) over the draws of k images.

    None where there was no attack; ``reason`` ends a sentence on why, "" where there was.
    """

    mean: float | None
    deviation: float | None
    reason: str = ""

    @property
    def error(self) -> float:
        """1 − AUC, never 0. Raises ValueError where there was no attack."""
        return max(1 - self._known()[0], LEAST_ERROR)

    @property
    def standard_error(self) -> float:
        """Of the mean. Raises ValueError where there was no attack."""
        return self._known()[1] / math.sqrt(DRAWS)

    def _known(self) -> tuple[float, float]:
        if self.mean is None or self.deviation is None:
            raise ValueError(f"There was no attack: {self.reason}.")
        return self.mean, self.deviation


def knowledge_left(network: KShotAUC, original: KShotAUC, retrained: KShotAUC) -> float | None:
    """Where ``network`` stands on the scale of log(1 − AUC): 1 at Original, 0 at Retrain.

    Above 1 it is found more easily than Original, below 0 less easily than Retrain. None without
    one of the attacks, and where Original is not found more easily than Retrain: then there is no
    scale.
    """
    if None in (network.mean, original.mean, retrained.mean):
        return None
    if alike(original, retrained) or original.error > retrained.error:
        return None
    here, all_, none = (math.log(each.error) for each in (network, original, retrained))
    return (here - none) / (all_ - none)


def alike(one: KShotAUC, other: KShotAUC) -> bool:
    """Whether the draws do not tell two networks apart: their mean AUCs are within two standard
    errors of the difference.

    The draws are the same for both, so this is cautious about calling them different. It knows
    nothing of the spread over trainings: another Retrain has another AUC. Raises ValueError where
    there was no attack.
    """
    difference = abs(one.error - other.error)
    return difference <= CLOSE * math.hypot(one.standard_error, other.standard_error)
