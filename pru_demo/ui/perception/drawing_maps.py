"""Places of runs on their scenario's maps; what is missing is drawn by the engine meanwhile."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from numpy.typing import NDArray

from pru_demo.config import RunConfig, runs_of
from pru_demo.experiment.keys import has_own_space
from pru_demo.experiment.maps import LIVE, PlacedRun
from pru_demo.experiment.record import RunRecord
from pru_demo.experiment.tasks import CLASSIC, MAP, classic_job_key, map_job_key
from pru_demo.figures.feature_space import PerceivedRun, is_whole
from pru_demo.jobs.protocol import Job
from pru_demo.projection.temporal_map import pca_map
from pru_demo.ui.components.map_player import map_player
from pru_demo.ui.perception.player_film import Shown, movie_of
from pru_demo.ui.shared.jobs_panel import (
    FAILED,
    Endings,
    explain_end,
    in_flight,
    last_event,
    submit,
    watch,
)
from pru_demo.ui.shared.records import classic_of, features_of, map_of, perceived_runs, placed_of
from pru_demo.ui.shared.services import ENGINE
from pru_demo.ui.shared.texts import text

_ENDINGS: Endings = {
    "failed": (FAILED, "{sentence}"),
    "cancelled": (FAILED, "Drawing was stopped."),
    "interrupted": (FAILED, "{sentence}"),
}
_GOES_ON = "{message} …"
_MEANWHILE = "{message}. Meanwhile, the dots where they are first put."


def places_or_drawing(runs: Sequence[PerceivedRun], kind: str) -> list[PlacedRun] | None:
    """Places of all ``runs`` on the map of a kind; until they are there, a first sight of them and
    how far the drawing is."""
    placed = {run.record.config: placed_of(run.record.config, kind) for run in runs}
    # Only these: bundled runs, whose features do not ship, are on their map already.
    missing = [config for config, place in placed.items() if place is None]
    if not missing:
        return [place for place in placed.values() if place is not None]
    above = st.container()
    _preview(runs)  # first: the engine may have to be started
    with above:
        arguments = {"configs": [config.content() for config in missing], "kind": kind}
        _draw(missing, MAP, arguments, map_job_key(missing, kind), _MEANWHILE)
    return None


def needed_classic(record: RunRecord, snapshot: int) -> NDArray[Any] | None:
    """umap-learn's picture (n, 2) of a snapshot, or None while it is being drawn."""
    config = record.config
    picture = classic_of(config, snapshot)
    if picture is None:
        arguments = {"config": config.content(), "snapshot": snapshot}
        _draw([config], CLASSIC, arguments, classic_job_key(config, snapshot), _GOES_ON)
    return picture


def offer_new_fit(shown: Sequence[RunConfig], kind: str, fitted_on: Sequence[str]) -> None:
    """Offer to fit the map of a kind that holds the runs ``shown`` anew, to all runs of their
    scenario, or show how far that is.

    Only where it would change something, as the map was ``fitted_on`` other runs, and nothing
    would be lost: a run whose features are no longer stored could not be placed on a new map.
    """
    configs = [
        run.record.config
        for run in perceived_runs(runs_of(shown[0].scenario, *(run.pick for run in shown)))
        if is_whole(run) and not has_own_space(run.record.config)
    ]
    if set(fitted_on) == {str(c.pick) for c in configs} or not _features_known(configs):
        return
    key = f"{map_job_key(configs, kind)}:again"
    if in_flight([key]):
        _watch(key, _GOES_ON)
        return
    explain_end(ENGINE.job(key), _ENDINGS)
    arguments = {"configs": [c.content() for c in configs], "kind": kind, "again": True}
    if st.button("Fit the map anew, to all runs", icon=":material/refresh:") and submit(
        MAP, arguments, key=key, shape="map"
    ):
        st.rerun()


def _features_known(configs: Sequence[RunConfig]) -> bool:
    return all(features_of(config) is not None for config in configs)


def _draw(
    configs: Sequence[RunConfig], task: str, arguments: dict[str, Any], key: str, words: str
) -> None:
    """Have ``task`` done with the features of ``configs`` and show how far it is, or why not."""
    if not _features_known(configs):
        st.info(text("perception.no_features"), icon=":material/info:")
        return
    if explain_end(ENGINE.job(key), _ENDINGS) and not st.button(
        "Draw it again", icon=":material/refresh:", key=f"again.{key}"
    ):
        return
    if submit(task, arguments, key=key, shape=task.rpartition("_")[2]):
        _watch(key, words)


def _watch(key: str, words: str) -> None:
    """How far the drawing is, in ``words`` around what it says itself."""

    def show(jobs: Mapping[str, Job]) -> None:
        event = last_event(jobs[key])
        message = event.get("message", "Waiting for a worker")
        st.progress(event.get("share", 0.0), words.format(message=message))

    watch({key: key}, show)


def _preview(runs: Sequence[PerceivedRun]) -> None:
    """What is to be drawn on the map that the run was followed on, or else on joint PCA: computed
    in a moment, and the latter is where every map starts from."""
    known = [(run, e) for run in runs if (e := features_of(run.record.config)) is not None]
    together = [e for run, e in known if not has_own_space(run.record.config)]
    if known:
        map_player(movie_of([_first_seen(run, e, together) for run, e in known]), key="film")


def _first_seen(run: PerceivedRun, e: NDArray[Any], together: Sequence[NDArray[Any]]) -> Shown:
    """A run with features ``e``; ``together`` are those of all runs that share their space."""
    record = run.record
    retained = ~record.forgotten
    if has_own_space(record.config):
        drawn = pca_map([e], retained)
    else:
        drawn = map_of(record.config, LIVE) or pca_map(together, retained)
    return Shown(record, drawn.place(e), run.perceived.moved)
