"""Store keys of everything that is kept of a run."""

from pru_demo.config import RunConfig
from pru_demo.store.entry import content_key


def run_key(config: RunConfig) -> str:
    """Store key of the record."""
    return content_key("run", config.content())


def weights_key(config: RunConfig) -> str:
    """Store key of the weights at ``KEPT_EPOCHS``: arrays named ``epoch/parameter``."""
    return content_key("weights", config.content())


def features_key(config: RunConfig) -> str:
    """Store key of the shown samples' ``features`` (T, n, d) and ``control`` (n, d), float16."""
    return content_key("features", config.content())


def partial_key(config: RunConfig) -> str:
    """Store key of how far an unfinished run has come: see ``runs.checkpoint``."""
    return content_key("partial", config.content())


def unlearned_key(config: RunConfig) -> str:
    """Store key of the state right after unlearning, which relearning has no part in."""
    content = config.content()
    content.pop("relearn_epochs", None)
    return content_key("unlearned", content)


def measures_key(config: RunConfig) -> str:
    """Store key of what the finer instruments say: see ``runs.measures``."""
    content = config.content()
    if config.scenario.given != "D_f":
        # Older measures attacked images that the original had not been trained on.
        content["members"] = "D_f"
    return content_key("measures", content)


def map_key(config: RunConfig, kind: str) -> str:
    """Store key of the map that ``config`` is placed on: its scenario's, or one of its own."""
    content = config.content() if has_own_space(config) else config.scenario.content()
    return content_key("map", {**content, "kind": kind})


def placed_key(config: RunConfig, kind: str) -> str:
    """Store key of a run's places on a map."""
    return content_key("placed", {**config.content(), "kind": kind})


def classic_key(config: RunConfig) -> str:
    """Store key of umap-learn's pictures of a run: arrays (n, 2) named by snapshot."""
    return content_key("classic", config.content())


def has_own_space(config: RunConfig) -> bool:
    """Whether the run's features share no origin with the original's, so no map can hold both."""
    return config.pick.method == "retrain"


def perceived_key(config: RunConfig) -> str:
    """Store key of what a run's features say."""
    return content_key("perceived", config.content())
