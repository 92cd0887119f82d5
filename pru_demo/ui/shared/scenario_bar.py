"""The row of choices above every page: what to forget, and which two methods to compare."""

from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain
from typing import Any

import numpy as np
import streamlit as st

from pru_demo.config import (
    LARGEST_BATCH,
    MAX_FORGET_SAMPLES,
    MAX_RELEARN_EPOCHS,
    MAX_SEED,
    SMALLEST_BATCH,
    Pick,
    Scenario,
    View,
    variants_of,
    view_from_query,
)
from pru_demo.data import DATASETS, available, note_of, read_part
from pru_demo.data.spec import DamagedData
from pru_demo.figures.naming import listed, short_name
from pru_demo.methods import METHODS
from pru_demo.models import MODELS
from pru_demo.settings import GIVEN, PRESETS
from pru_demo.ui.shared.comparison import fetch_hint
from pru_demo.ui.shared.images import data_uri, sample_images
from pru_demo.ui.shared.state import show

# More would not fit into one row.
MOST_CHIPS = 12


def scenario_bar(view: View) -> None:
    """Draw the choices of ``view``; a change becomes the current view before the next run."""
    scenario = view.scenario
    # The URL is the truth and widgets follow it, also when a link or the Back button changed it.
    several = len(scenario.forget) > 1 or bool(st.session_state.get("bar.several"))
    st.session_state["bar.several"] = several
    st.session_state["bar.forget"] = list(scenario.forget) if several else scenario.forget[0]
    st.session_state["bar.a"], st.session_state["bar.b"] = view.a, view.b
    st.session_state["bar.preset"] = scenario.preset
    st.session_state["bar.model"] = scenario.model
    st.session_state["bar.seed"] = scenario.seed
    st.session_state["bar.dataset"] = scenario.dataset
    st.session_state["bar.given"] = scenario.given
    st.session_state["bar.forget_samples"] = scenario.forget_samples
    st.session_state["bar.relearn_epochs"] = scenario.relearn_epochs
    st.session_state["bar.max_batch"] = scenario.max_batch

    with st.container(key="scenario-bar", border=True):
        forget, a, b, more = st.columns(
            [6.4, 2.4, 2.4, 1.4], vertical_alignment="bottom", gap="small"
        )
        with forget:
            _class_choice(view, several=several)
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
        if note := note_of(scenario.dataset):
            st.caption(f"{DATASETS[scenario.dataset].label}: {note}")


def _class_choice(view: View, *, several: bool) -> None:
    """Chips with a sample image each, or a list where a data set has too many classes for that."""
    dataset = view.scenario.dataset
    names = DATASETS[dataset].class_names
    label = "Forget the classes" if several else "Forget the class"
    common: dict[str, Any] = {
        "key": "bar.forget",
        "on_change": _apply,
        "args": (view,),
        "help": "The class whose training images the network is asked to forget.",
    }
    if len(names) > MOST_CHIPS:
        listed: dict[str, Any] = {
            "options": range(len(names)),
            "format_func": names.__getitem__,
            **common,
        }
        if several:
            st.multiselect(label, **listed)
        else:
            st.selectbox(label, **listed)
        return
    chips: dict[str, Any] = {
        "options": range(len(names)),
        "format_func": partial(_chip, dataset, available(dataset)),
        "width": "stretch",
        **common,
    }
    if several:
        st.segmented_control(label, selection_mode="multi", **chips)
    else:
        st.segmented_control(label, required=True, **chips)


def _more(view: View) -> None:
    present = [name for name in DATASETS if available(name)]
    st.selectbox(
        "Data set",
        # One that a link asks for stays in the list: the page says how to get it.
        [*present, *({view.scenario.dataset} - set(present))],
        format_func=lambda name: DATASETS[name].label,
        key="bar.dataset",
        on_change=_apply,
        args=(view,),
    )
    if absent := [name for name in DATASETS if name not in present]:
        labels = listed([DATASETS[name].label for name in absent])
        st.caption(f"Not on this machine: {labels}. {fetch_hint(absent)}")
    st.toggle(
        "Forget several classes at once",
        key="bar.several",
        on_change=_apply,
        args=(view,),
    )
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
    st.segmented_control(
        "Forget with",
        GIVEN,
        required=True,
        key="bar.given",
        help="**D_f**: the images from which the network learned the class. **D_f_new**: images "
        "of the class that it has never seen.",
        on_change=_apply,
        args=(view,),
    )
    st.number_input(
        "At most this many images to forget with",
        2,
        MAX_FORGET_SAMPLES,
        step=1,
        key="bar.forget_samples",
        placeholder="as many as the amount of work allows",
        on_change=_apply,
        args=(view,),
    )
    st.number_input(
        "Epochs of relearning",
        1,
        MAX_RELEARN_EPOCHS,
        step=10,
        key="bar.relearn_epochs",
        help="Ten are published. More do not unlearn again: they go on from the same network.",
        on_change=_apply,
        args=(view,),
    )
    st.number_input(
        "Batches of at most this many images",
        SMALLEST_BATCH,
        LARGEST_BATCH,
        step=8,
        key="bar.max_batch",
        placeholder="as each method has it",
        help="For a device short of memory. Smaller batches make it another run than published.",
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
    chosen = state["bar.forget"]
    classes = chosen if isinstance(chosen, list) else [chosen]
    if not state["bar.several"]:
        classes = classes[-1:]
    if state["bar.dataset"] != view.scenario.dataset:
        # Class 97 of one data set is not to be looked for in another.
        classes = [0]
    scenario = replace(
        view.scenario,
        # With nothing chosen there is nothing to forget: what was chosen stays.
        forget=tuple(sorted(classes)) or view.scenario.forget,
        dataset=state["bar.dataset"],
        given=state["bar.given"],
        forget_samples=state["bar.forget_samples"],
        preset=state["bar.preset"],
        model=state["bar.model"],
        relearn_epochs=int(state["bar.relearn_epochs"]),
        max_batch=state["bar.max_batch"],
        seed=int(state["bar.seed"]),
    )
    # Through the URL's reader, so that a choice is held to the same rules as a link.
    show(view_from_query(View(scenario, state["bar.a"], state["bar.b"]).query())[0])


def _picks(scenario: Scenario) -> list[Pick]:
    return list(
        chain.from_iterable(
            (Pick(method, v) for v in variants_of(method, scenario)) for method in METHODS
        )
    )


def _query(view: View) -> str:
    return "&".join(f"{key}={value}" for key, value in view.query().items())


@lru_cache(maxsize=1024)
def _chip(dataset: str, has_images: bool, label: int) -> str:
    """The first test image of a class and its name; the name alone where there are no images."""
    name = DATASETS[dataset].class_names[label]
    if not has_images:
        return name
    try:
        labels = read_part(dataset, "test")[1]
    except DamagedData:
        # Choosing must go on without pictures; pages that need them will say what is wrong.
        return name
    first = sample_images(dataset)[int(np.flatnonzero(labels == label)[0])]
    return f"![]({data_uri(first, side=32)}) {name}"
