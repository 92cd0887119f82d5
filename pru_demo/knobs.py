"""What can be turned about a method, and what is read from somebody who turns it.

A knob is a field of the method's parameters that declares bounds or choices; a new one appears on
page, link, command line and in the call by itself. ``WORDS`` says what it is called, once for all
methods.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple, TypeAlias

from pru_demo.fields import BadValue, shortened
from pru_demo.parameters import Params

Value: TypeAlias = float | int | bool | str

# As floats are written, and no digits of other scripts; longer ones take long to read.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_LONGEST_NUMBER = 32
_MOST_NAMES = 8


class Words(NamedTuple):
    """What a parameter is called: its ``symbol``, and in half a sentence.

    Of a ``logarithmic`` one the factor counts, not the difference.
    """

    symbol: str
    meaning: str
    logarithmic: bool = False


WORDS: dict[str, Words] = {
    "learning_rate_E": Words("η_E", "learning rate of the E step", True),
    "learning_rate_C": Words("η_C", "learning rate of the C step", True),
    "learning_rate": Words("η", "learning rate", True),
    "epochs": Words("epochs", "how often the method sees all it is given; no preset limits it"),
    "lambda_p": Words("λ_p", "weight of L_p in the E step: keep the answers (Eq. 5)", True),
    "lambda_o": Words("λ_o", "weight of L_o in the E step: new clusters apart (Eq. 3)", True),
    "lambda_s": Words("λ_s", "weight of L_s in the E step: new clusters tight (Eq. 4)", True),
    "c_step_updates": Words("C step", "what the C step trains: the published code does otherwise"),
    "l_p_form": Words("L_p", "KL divergence as in Eq. 5, or cross-entropy as in Table 4"),
    "averaging": Words("averaging", "L_s averaged per cluster first (macro) or over all pairs"),
    "lp_epsilon": Words("ε", "added to probabilities in the logarithm of L_p", True),
    "batch_norm_updates": Words("BatchNorm updates", "of the running statistics per E step"),
    "batch_norm": Words("BatchNorm", "whether the statistics go on moving while it forgets"),
    "batch_size": Words("batch size", "images in a batch"),
    "momentum": Words("momentum", "of SGD"),
    "weight_decay": Words("weight decay", "of SGD", True),
    "epsilon": Words("ε", "bound of the attack, in units of the pixel range"),
    "attack": Words("attack", "one step (FGSM) or five from a random start (PGD)"),
    "exclude_forget": Words("other labels only", "never keep the label where the attack fails"),
    "share": Words("share", "of the weights that may move"),
    "loss_cap": Words("loss cap", "cross-entropy, in nats, at which an image stops counting", True),
    "alpha": Words("α", "weight of the KL divergence on D_r", True),
    "gamma": Words("γ", "weight of the cross-entropy on D_r", True),
    "temperature": Words("T", "temperature of the distillation", True),
    "forget_epochs": Words("epochs on D_f", "the first epochs, which have both halves"),
    "rehearsal_pool": Words("pool", "warped images that are rehearsed; 0: none"),
    "rehearsal_share": Words("share of the pool", "in every batch"),
    "rehearsal_weight": Words("λ_pool", "weight of the pool's L_p", True),
    "rehearsal_warp": Words("warp", "how far an image is warped; 1: any rotation, ±30° of shear"),
    "rehearsal_combined": Words("combined", "at most this many warps make one image"),
    "rehearsal_balanced": Words("balanced", "draw all predicted classes equally often"),
    "lambda_images": Words("λ images", "weight of L_p on the images"),
    "lambda_neighbours": Words("λ neighbours", "weight of L_p on their adversarial neighbours"),
    "lambda_similarity": Words("λ similarity", "weight of the features' mean cosine similarity"),
    "pgd_step": Words("PGD step", "in units of the pixel range"),
    "pgd_steps": Words("PGD steps", "to a neighbour"),
    "bias": Words("bias", "of the covered classes"),
    "sigma": Words("σ", "how far to step back along the summed gradients", True),
}


def words_of(name: str) -> Words:
    """What the parameter ``name`` is called: itself, if nobody has found words for it."""
    return WORDS.get(name) or Words(name.replace("_", " "), "")


class OutOfBounds(BadValue):
    """A number that is too small or too large; ``nearest`` is not."""

    def __init__(self, sentence: str, nearest: Value) -> None:
        super().__init__(sentence)
        self.nearest = nearest


@dataclass(frozen=True)
class Span:
    """A number from ``low`` to ``high``, both included."""

    low: float
    high: float
    whole: bool

    def checked(self, value: Value, called: str) -> Value:
        """``value`` as the parameter has it. Raises OutOfBounds, or BadValue for no number."""
        objection = (
            f"asks for {called} “{shortened(written(value))}”; it must be a "
            f"{'whole ' if self.whole else ''}number from {self.low:g} to {self.high:g}."
        )
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise BadValue(objection)
        if self.whole and value % 1 != 0:
            raise BadValue(objection)
        nearest = min(max(value, self.low), self.high)
        if nearest != value:
            raise OutOfBounds(objection, nearest)
        return int(value) if self.whole else float(value)


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    options: tuple[Value, ...]

    def checked(self, value: Value, called: str) -> Value:
        """``value``, if it is one of them. Raises BadValue."""
        # 1 equals True.
        if any(value == option and type(value) is type(option) for option in self.options):
            return value
        raise BadValue(
            f"asks for {called} “{shortened(written(value))}”; it must be "
            f"{' or '.join(map(written, self.options))}."
        )


Knob: TypeAlias = Span | Choice


def knobs_of(params: Params) -> dict[str, Knob]:
    """All that can be turned about a method with ``params``, by the parameter's name.

    What several methods share by keyword only stands behind what makes the method.
    """
    knobs: dict[str, Knob] = {}
    for each in sorted(fields(params), key=lambda each: each.kw_only is True):
        if bounds := each.metadata.get("bounds"):
            low, high = bounds
            knobs[each.name] = Span(low, high, whole=each.type is int)
        elif choices := each.metadata.get("choices"):
            knobs[each.name] = Choice(choices)
    return knobs


def checked_changes(
    knobs: Mapping[str, Knob], asked: Mapping[str, Value], called: Callable[[str], str] = str
) -> tuple[dict[str, Value], list[BadValue]]:
    """What is ``asked`` for by name, as far as the ``knobs`` can be turned so.

    What is too small or too large becomes the nearest there is; all else that cannot be is left
    out. Returns also what there is to say of each of both; ``called`` is what a parameter is
    called in it.
    """
    values: dict[str, Value] = {}
    objections: list[BadValue] = []
    for name, value in asked.items():
        try:
            if name not in knobs:
                there = _listed(list(knobs)) if knobs else "there is nothing to set"
                raise BadValue(f"asks for “{shortened(called(name))}”, but {there}.")
            values[name] = knobs[name].checked(value, called(name))
        except BadValue as problem:
            objections.append(problem)
            if isinstance(problem, OutOfBounds):
                values[name] = problem.nearest
    return values, objections


def _listed(names: list[str]) -> str:
    """The first of the ``names``: a notice has no room for all that PRU can be given."""
    more = len(names) - _MOST_NAMES
    return f"there are {', '.join(names[:_MOST_NAMES])}" + (
        f" and {more} others" if more > 0 else ""
    )


def written(value: Value) -> str:
    """``0.3``, ``5``, ``true``, ``pgd``: as links and the command line have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_value(text: str) -> Value:
    """The inverse of :func:`written` for what a stranger typed: a number if it reads as one."""
    if text in ("true", "false"):
        return text == "true"
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    if math.isinf(number):
        return text
    return int(number) if number.is_integer() else number
