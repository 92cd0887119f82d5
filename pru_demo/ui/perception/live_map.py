"""A run on a map while it happens: the map is frozen, so what moves on it is the network."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from pru_demo.config import RunConfig
from pru_demo.experiment.checkpoint import last_checkpoint
from pru_demo.experiment.keys import has_own_space
from pru_demo.experiment.maps import LIVE
from pru_demo.experiment.record import RunResult
from pru_demo.figures.film import frames_of, moments
from pru_demo.projection.align import displacement
from pru_demo.projection.temporal_map import TemporalMap
from pru_demo.ui.components.map_player import map_player
from pru_demo.ui.perception.player_film import Shown, movie_of
from pru_demo.ui.shared.records import features_of, map_of, record_of
from pru_demo.ui.shared.services import STORE
from pru_demo.ui.shared.texts import text

# Checkpoints are written once an epoch, which takes seconds.
POLL_SECONDS = 2.0


@st.fragment(run_every=POLL_SECONDS)
def follow(configs: Sequence[RunConfig]) -> None:
    """Show what the running ``configs`` have written down, on the map there is or a frozen one."""
    followed = [config for config in configs if not has_own_space(config)]
    runs = [run for config in followed if (run := _so_far(config))]
    if not runs:
        return
    drawn = map_of(followed[0], "time") or map_of(followed[0], LIVE)
    if drawn is None:
        return
    st.markdown(text("perception.as_it_happens"))
    film = moments([run.record for run in runs])
    # Runs wait for each other: the one with the fewest snapshots is the one that moves.
    latest = min(frames_of(run.record, film).index(len(run.record.snapshots) - 1) for run in runs)
    map_player(movie_of([_shown(run, drawn) for run in runs]), start_frame=latest, key="live")


def _so_far(config: RunConfig) -> RunResult | None:
    record, features = record_of(config), features_of(config)
    if record is not None and features is not None:
        run: RunResult | None = RunResult(record, {"features": features})
    else:
        checkpoint = last_checkpoint(STORE, config)
        run = None if checkpoint is None else checkpoint.result
    # A network that answers with numbers no longer has no place on a map.
    return run if run is not None and np.isfinite(run.features["features"]).all() else None


def _shown(run: RunResult, drawn: TemporalMap) -> Shown:
    retained, labels = ~run.record.forgotten, run.record.arrays["labels"]
    features = run.features["features"].astype("float32")
    return Shown(run.record, drawn.place(features), displacement(features, retained, labels))
