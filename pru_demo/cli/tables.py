"""Tables of results as the command line prints them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from pru_demo.config import RunConfig
from pru_demo.experiment.record import KEPT_EPOCHS, RunRecord
from pru_demo.experiment.spread import MethodSpread, Spread


def result_table(records: Sequence[RunRecord]) -> str:
    """A_f and A_r in percent after unlearning and after 1, 5 and 10 epochs of relearning."""
    rows = []
    for record in records:
        pick, seconds = record.config.pick, record.seconds
        a_f, a_r = record.relearning("A_f"), record.relearning("A_r")
        cells = [
            f"{a_f[epoch]:.1f} / {a_r[epoch]:.1f}" if epoch < len(a_f) else "not computed"
            for epoch in KEPT_EPOCHS
        ]
        control = record.batch_norm_only
        only = f"{control['A_f']:.1f} / {control['A_r']:.1f}" if control else "not computed"
        took = f"{seconds['unlearn']:.1f} + {seconds['relearn']:.1f}"
        rows.append([pick.method, pick.version, *cells, only, took, record.failure or ""])
    after = ("A_f / A_r", "relearned 1", "5", "10", "BatchNorm only")
    return tabulate(rows, headers=["method", "variant", *after, "seconds", "failure"])


def sweep_table(methods: Sequence[MethodSpread]) -> str:
    """Mean ± standard deviation per method, over classes and seeds; accuracies in percent."""
    rows = [
        {
            "method": each.pick.method,
            "variant": each.pick.version,
            "runs": each.runs,
            "failed": each.failed,
            "A_f": _spread(each.A_f),
            "A_r": _spread(each.A_r),
            "A_f relearned": _spread(each.A_f_relearned),
            "A_r relearned": _spread(each.A_r_relearned),
            "BatchNorm only A_f": _spread(each.bn_only_A_f),
            # Near 1, where they differ in the last digits.
            **{f"{k}-shot AUC": _spread(auc, ".4f") for k, auc in each.k_shot_auc.items()},
        }
        for each in methods
    ]
    # As written: tabulate takes the last 0 from a column that could be of numbers.
    return tabulate(rows, headers="keys", disable_numparse=True)


def _spread(spread: Spread | None, number: str = ".1f") -> str:
    if spread is None:
        return "not computed"
    mean = format(spread.mean, number)
    return mean if spread.deviation is None else f"{mean} ± {spread.deviation:{number}}"


def measure_table(measured: Sequence[tuple[RunConfig, Mapping[str, Any]]]) -> str:
    """The finer numbers right after unlearning, one row per run; accuracies in percent."""
    rows = []
    for config, measures in measured:
        features, way = measures["features"]["0"], measures["against_retrain"]
        comeback, probe = measures["relearning"]["comeback"], features["linear_probe"]
        rows.append(
            {
                "method": config.pick.method,
                "variant": config.pick.version,
                f"A_f on {config.scenario.given}": measures["forget_set"]["A_f"],
                "probe A_f": None if probe is None else probe["A_f"],
                "CKA original": features["cka_to_original"],
                "CKA Retrain": features["cka_to_retrained"],
                "OU@ε": measures["ou_epsilon"]["JS"],
                "attack AUC": _attack_cell(measures["forget_set"]),
                "largest relearned A_f": comeback["maximum"],
                "D_KL": None if way is None else way["D_KL"],
                "JS": None if way is None else way["JS"],
            }
        )
    return tabulate(rows, headers="keys", floatfmt=".3g", missingval="not computed")


def _attack_cell(forget_set: Mapping[str, Any]) -> str:
    attack = forget_set["membership"]
    return f"{attack['auc']:.3g}" if attack else f"not computed: {forget_set['no_membership']}"
