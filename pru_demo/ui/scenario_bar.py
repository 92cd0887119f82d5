"""The row of choices above every page: what to forget, and which two methods to compare."""

from dataclasses import replace
from functools import lru_cache
from itertools import chain

import numpy as np
import streamlit as st

from pru_demo.config import (
    MAX_SEED,
    PRESETS,
    Pick,
    Scenario,
    View,
    variants_of,
    view_from_query,
)
from pru_demo.data import DATASETS
from pru_demo.data.idx import DamagedData
from pru_demo.data.samples import mnist_test
from pru_demo.figures.naming import short_name
from pru_demo.models import MODELS
from pru_demo.ui.images import data_uri
from pru_demo.ui.state import show
from pru_demo.unlearning import METHODS


def scenario_bar(view: View) -> None:
    """Draw the choices of ``view``; a change becomes the current view before the next run."""
    scenario = view.scenario
    # The URL is the truth and widgets follow it, also when a link or the Back button changed it.
    st.session_state["bar.forget"] = scenario.forget[0]
    st.session_state["bar.a"], st.session_state["bar.b"] = view.a, view.b
    st.session_state["bar.preset"] = scenario.preset
    st.session_state["bar.model"] = scenario.model
    st.session_state["bar.seed"] = scenario.seed

    with st.container(key="scenario-bar", border=True):
        forget, a, b, more = st.columns(
            [6.4, 2.4, 2.4, 1.4], vertical_alignment="bottom", gap="small"
        )
        with forget:
            st.segmented_control(
                "Forget the class",
                range(len(DATASETS[scenario.dataset].class_names)),
                format_func=_chip,
                required=True,
                key="bar.forget",
                on_change=_apply,
                args=(view,),
                width="stretch",
                help="The class whose training images the network is asked to forget.",
            )
        picks = _picks(scenario)
        for column, key, label in ((a, "bar.a", "A"), (b, "bar.b", "B")):
            column.selectbox(
                f"Method {label}",
                picks,
                format_func=short_name,
                key=key,
                on_change=_apply,
                args=(view,),
                help="Tuned: our search on class 0. Paper: as described there. Released: as its "
                "published code does it.",
            )
        with more, st.popover("More", icon=":material/tune:", width="stretch"):
            _more(view)


def _more(view: View) -> None:
    st.segmented_control(
        "Amount of work",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].label,
        required=True,
        key="bar.preset",
        help=" · ".join(f"**{p.label}**: {p.description}" for p in PRESETS.values()),
        on_change=_apply,
        args=(view,),
    )
    st.selectbox(
        "Network",
        list(MODELS),
        format_func=lambda name: MODELS[name].label,
        key="bar.model",
        help=" · ".join(f"**{m.label}**: {m.description}" for m in MODELS.values()),
        on_change=_apply,
        args=(view,),
    )
    st.number_input(
        "Seed",
        0,
        MAX_SEED,
        step=1,
        key="bar.seed",
        help="Decides the split of the data, the original network and the order of all batches. "
        "The network of any seed but 7 is trained first, which takes minutes.",
        on_change=_apply,
        args=(view,),
    )
    st.markdown("Link to exactly this view")
    st.code(f"{(st.context.url or '').partition('?')[0]}?{_query(view)}", wrap_lines=True)


def _apply(view: View) -> None:
    """Callback: the widgets' values as a view, with picks that the network has parameters for."""
    state = st.session_state
    scenario = replace(
        view.scenario,
        forget=(state["bar.forget"],),
        preset=state["bar.preset"],
        model=state["bar.model"],
        seed=int(state["bar.seed"]),
    )
    # Through the URL's reader, so that a choice is held to the same rules as a link.
    show(view_from_query(View(scenario, state["bar.a"], state["bar.b"]).query())[0])


def _picks(scenario: Scenario) -> list[Pick]:
    return list(
        chain.from_iterable(
            (Pick(method, v) for v in variants_of(method, scenario.dataset, scenario.model))
            for method in METHODS
        )
    )


def _query(view: View) -> str:
    return "&".join(f"{key}={value}" for key, value in view.query().items())


@lru_cache(maxsize=32)
def _chip(label: int) -> str:
    try:
        images, labels = mnist_test()
    except DamagedData:
        # Choosing must go on without pictures; pages that need them will say what is wrong.
        return str(label)
    first = images[int(np.flatnonzero(labels == label)[0])]
    return f"![]({data_uri(first)}) {label}"
