"""The numbers that the paper prints, for showing beside ours. Percent."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

PAIRS = {("mnist", "allcnn"): "DM-A", ("mnist", "allcnn-small"): "DM-A"}


@lru_cache(maxsize=1)
def published() -> dict[str, Any]:
    """All published numbers; see the comments in ``published.toml``."""
    with (Path(__file__).parent / "published.toml").open("rb") as file:
        return tomllib.load(file)


def relearning(dataset: str, model: str, method: str) -> dict[str, list[float]] | None:
    """Table 2 for a data set and method: ``{"epochs": […], "A_f": […], "A_r": […]}``, or None.

    Means over all ten classes and five trials with the full-width network.
    """
    pair = PAIRS.get((dataset, model))
    row = published()["table2"].get(pair, {}).get(method)
    return row and {"epochs": published()["table2"]["epochs"], **row}
