"""Places of runs on their scenario's maps; what is missing is drawn by the engine meanwhile."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from numpy.typing import NDArray

from pru_demo.projection import displacement, pca_map
from pru_demo.runs.engine.protocol import IN_FLIGHT, EngineUnavailable, JobFailed, Refused
from pru_demo.runs.maps import LIVE, PlacedRun
from pru_demo.runs.record import RunRecord, shown_forgotten
from pru_demo.runs.tasks import CLASSIC, MAP, classic_job_key, map_job_key
from pru_demo.ui.film import Shown, show_film
from pru_demo.ui.records import classic_of, features_of, map_of, placed_of
from pru_demo.ui.services import ENGINE
from pru_demo.ui.visitor import visitor


def places_or_drawing(records: Sequence[RunRecord], kind: str) -> list[PlacedRun] | None:
    """Places of all ``records`` on the map of a kind; until they are there, a first sight of them
    and how far the drawing is."""
    placed = [placed_of(record.config, kind) for record in records]
    found = [place for place in placed if place is not None]
    if len(found) < len(records):
        configs = [record.config for record in records]
        if _features_known(records):
            _draw(
                MAP,
                {"configs": [c.content() for c in configs], "kind": kind},
                map_job_key(configs, kind),
                lambda share, message: st.progress(
                    share, f"{message}. Meanwhile, the dots where they are first put."
                ),
            )
        _preview(records)
        return None
    return found


def needed_classic(record: RunRecord, snapshot: int) -> NDArray[Any] | None:
    """umap-learn's picture (n, 2) of a snapshot, or None while it is being drawn."""
    found = classic_of(record.config, snapshot)
    if found is None and _features_known([record]):
        _draw(
            CLASSIC,
            {"config": record.config.content(), "snapshot": snapshot},
            classic_job_key(record.config, snapshot),
            lambda share, message: st.progress(share, f"{message} …"),
        )
    return found


def can_fit_again(records: Sequence[RunRecord]) -> bool:
    """Whether all it takes to fit a map to these runs is still stored."""
    return all(features_of(record.config) is not None for record in records)


def fit_again(records: Sequence[RunRecord], kind: str) -> None:
    """Have the map of a kind fitted anew, to ``records``."""
    configs = [record.config for record in records]
    arguments = {"configs": [c.content() for c in configs], "kind": kind, "again": True}
    _submit(MAP, arguments, map_job_key(configs, kind))


def _features_known(records: Sequence[RunRecord]) -> bool:
    if can_fit_again(records):
        return True
    st.info(
        "The features of this run are no longer stored; run it again on the page Forget.",
        icon=":material/info:",
    )
    return False


def _draw(
    task: str, arguments: dict[str, Any], key: str, show: Callable[[float, str], object]
) -> None:
    job = ENGINE.job(key)
    if job is not None and job.state in ("failed", "cancelled", "interrupted"):
        error = job.future.exception()
        sentence = error.sentence if isinstance(error, JobFailed) else "Drawing was stopped."
        st.error(sentence, icon=":material/error:")
        if not st.button("Draw it again", icon=":material/refresh:", key=f"again.{key}"):
            return
    if _submit(task, arguments, key):
        _watch(key, show)


def _submit(task: str, arguments: dict[str, Any], key: str) -> bool:
    """Have it drawn; False, having said why, if the engine does not take it."""
    try:
        ENGINE.submit(
            task, arguments, key=key, visitor=visitor(), shape=task.rpartition("_")[2], retries=1
        )
    except (Refused, EngineUnavailable) as problem:
        st.error(str(problem), icon=":material/hourglass_disabled:")
        return False
    return True


@st.fragment(run_every=0.5)
def _watch(key: str, show: Callable[[float, str], object]) -> None:
    job = ENGINE.job(key)
    if job is None or job.state not in IN_FLIGHT:
        st.rerun()
        return
    job.watch(visitor())
    event = events[-1].data if (events := job.events()) else {}
    show(event.get("share", 0.0), event.get("message", "Waiting for a worker"))


def _preview(records: Sequence[RunRecord]) -> None:
    """What is to be drawn on the map that the run was followed on, or else on joint PCA: computed
    in a moment, and the latter is where every map starts from."""
    found = [(record, features_of(record.config)) for record in records]
    known = [(record, e) for record, e in found if e is not None]
    if not known:
        return
    retained, labels = ~shown_forgotten(records[0]), records[0].arrays["labels"]
    drawn = map_of(records[0].config, LIVE) or pca_map([e for _, e in known], retained)
    show_film([Shown(r, drawn.place(e), displacement(e, retained, labels)) for r, e in known])
