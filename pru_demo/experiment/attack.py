"""Which attacks on a run's networks there are, beside those that its record holds.

Plain Python, because pages and keys name them. The record has relearning from the other classes at
the published rate, the BatchNorm-only control and the k-shot AUC.
"""

from dataclasses import dataclass
from itertools import product
from typing import Literal

from pru_demo.evaluation.knowledge import SHOTS

Kind = Literal["features", "others", "class", "last_layer"]

# Of the published rate of relearning.
RATES = (1, 3, 10)


@dataclass(frozen=True)
class Attack:
    """``kind`` with ``k`` images of the class, 0 where it needs none, at ``rate`` times the rate.

    - ``features``: the k-shot AUC for every k, of a run that is older than it is;
    - ``others``: relearning from D_r_new;
    - ``class``: relearning from D_r_new and k images of the class;
    - ``last_layer``: the class's row of the last layer written anew from k images.
    """

    kind: Kind
    k: int = 0
    rate: int = 1

    def __str__(self) -> str:
        """``class-k5-x3``, as keys have it."""
        shots = f"-k{self.k}" if self.k else ""
        return f"{self.kind}{shots}-x{self.rate}"

    @property
    def relearns(self) -> bool:
        """Whether it takes epochs, as many as the run's own relearning."""
        return self.kind in ("others", "class")

    @property
    def is_recorded(self) -> bool:
        """Whether it is the relearning that every run ends with."""
        return self == Attack("others")


# All that may be stored of a run.
ATTACKS = (
    Attack("features"),
    *(Attack("others", rate=rate) for rate in RATES if rate != 1),
    *(Attack("class", k, rate) for k, rate in product(SHOTS, RATES)),
    *(Attack("last_layer", k) for k in SHOTS),
)
