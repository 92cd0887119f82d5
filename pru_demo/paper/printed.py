"""The numbers that the paper prints, for showing beside ours. Percent."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

PAIRS = {("mnist", "allcnn"): "DM-A", ("mnist", "allcnn-small"): "DM-A"}


@cache
def printed() -> dict[str, Any]:
    """All published numbers; see the comments in ``printed.toml``."""
    with (Path(__file__).parent / "printed.toml").open("rb") as file:
        return tomllib.load(file)


def printed_relearning(dataset: str, model: str, method: str) -> dict[str, list[float]] | None:
    """Table 2 for a data set and method: ``{"epochs": […], "A_f": […], "A_r": […]}``, or None.

    Means over all ten classes and five trials with the full-width network.
    """
    table = printed()["table2"]
    row = table.get(PAIRS.get((dataset, model)), {}).get(method)
    return row and {"epochs": table["epochs"], **row}
