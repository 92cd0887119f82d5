"""Which attacks on a run's network there are. Plain Python, because pages and keys name them."""

from dataclasses import dataclass
from itertools import product
from typing import Literal

from pru_demo.evaluation.knowledge import SHOTS

Kind = Literal["others", "class", "last_layer", "batch_norm", "features"]

# Of the published rate of relearning.
RATES = (1, 3, 10)


@dataclass(frozen=True)
class Attack:
    """``kind`` with ``k`` images of the class, 0 where it needs none, at ``rate`` times the rate.

    - ``others``: relearning from D_r_new;
    - ``class``: relearning from D_r_new and k images of the class;
    - ``last_layer``: the class's row of the last layer written anew from k images;
    - ``batch_norm``: BatchNorm's statistics refreshed, no weight changed;
    - ``features``: the k-shot AUC for every k.
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
        """Whether every record holds what it finds. The k-shot AUC is missing from older ones."""
        return self in (Attack("others"), Attack("batch_norm"))


# What most visitors ask for first: it ships with the runs of the shorter preset.
USUAL = (Attack("class", 5), Attack("last_layer", 5))

# All that may be stored of a run beside its record.
ATTACKS = (
    Attack("features"),
    *(Attack("others", rate=rate) for rate in RATES if rate != 1),
    *(Attack("class", k, rate) for k, rate in product(SHOTS, RATES)),
    *(Attack("last_layer", k) for k in SHOTS),
)
