"""How the command line shows that work goes on, and what came of it."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from tabulate import tabulate
from tqdm import tqdm

from pru_demo.config import RunConfig
from pru_demo.runs.record import KEPT_EPOCHS, RunRecord


class ProgressContext:
    """A task's context in this process: reports move a progress bar; Ctrl-C is the cancel."""

    job_id = "command-line"
    attempt = 1

    def __init__(self, title: str) -> None:
        self._bar = tqdm(desc=title, unit="step", leave=True, dynamic_ncols=True)

    def __enter__(self) -> "ProgressContext":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def report(self, **event: Any) -> None:
        """Show what a task reports: see ``pipeline.execute``."""
        if snapshot := event.get("snapshot"):
            if event["done"] == 1:
                self._bar.reset(event["of"])
            self._bar.n = event["done"]
            self._bar.set_postfix(A_f=f"{snapshot['A_f']:.1f}", A_r=f"{snapshot['A_r']:.1f}")
        elif epoch := event.get("training_original"):
            self._bar.set_postfix(training_original=f"epoch {epoch}")
        else:
            self._bar.set_postfix_str(str(event.get("message", "")))

    def cancelled(self) -> bool:
        """Never: Ctrl-C raises by itself."""
        return False

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._bar.write(text)


def result_table(records: Sequence[RunRecord]) -> str:
    """A_f and A_r in percent after unlearning and after 1, 5 and 10 epochs of relearning."""
    rows = []
    for record in records:
        pick, a_f, a_r = (
            record.config.pick,
            record.relearning("A_f"),
            record.relearning("A_r"),
        )
        cells = [
            f"{a_f[epoch]:.1f} / {a_r[epoch]:.1f}" if epoch < len(a_f) else "not computed"
            for epoch in KEPT_EPOCHS
        ]
        control = record.batch_norm_only
        only = f"{control['A_f']:.1f} / {control['A_r']:.1f}" if control else "not computed"
        seconds = record.seconds
        rows.append(
            [
                pick.method,
                pick.variant,
                *cells,
                only,
                f"{seconds['unlearn']:.1f} + {seconds['relearn']:.1f}",
                record.failure or "",
            ]
        )
    return tabulate(
        rows,
        headers=[
            *("method", "variant", "A_f / A_r", "relearned 1", "5", "10"),
            *("BatchNorm only", "seconds", "failure"),
        ],
    )


def measure_table(measured: Sequence[tuple[RunConfig, Mapping[str, Any]]]) -> str:
    """The finer numbers right after unlearning, one row per run; accuracies in percent."""
    rows = []
    for config, measures in measured:
        features, way = measures["features"]["0"], measures["against_retrain"]
        comeback = measures["relearning"]["comeback"]
        rows.append(
            {
                "method": config.pick.method,
                "variant": config.pick.variant,
                "A_f on D_f": measures["forget_set"]["A_f"],
                "probe A_f": features["linear_probe"]["A_f"],
                "CKA original": features["cka_to_original"],
                "CKA Retrain": features["cka_to_retrained"],
                "attack AUC": measures["forget_set"]["membership"]["auc"],
                "largest relearned A_f": comeback["maximum"],
                "D_KL": None if way is None else way["D_KL"],
                "JS": None if way is None else way["JS"],
            }
        )
    return tabulate(rows, headers="keys", floatfmt=".3g", missingval="not computed")
