"""The row of choices above every page: what to forget, and which two methods to compare."""

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from pru_demo.config import FIELDS, runs_of
from pru_demo.data import DATASETS, available, note_of
from pru_demo.fields import Number, OneOf
from pru_demo.figures.naming import listed, short_name
from pru_demo.links import View, view_from_query
from pru_demo.ui.shared.comparison import fetch_hint
from pru_demo.ui.shared.images import class_chip
from pru_demo.ui.shared.state import show

# More would not fit into one row.
MOST_CHIPS = 12

# What is asked first, and last, behind the button; all else is in the order of a link.
_ORDER = {"dataset": -3, "preset": -2, "model": -1, "seed": 1}
_MORE = {
    name: each
    for name, each in sorted(FIELDS.items(), key=lambda item: _ORDER.get(item[0], 0))
    if each.label and isinstance(each.kind, OneOf | Number)
}


def scenario_bar(view: View) -> None:
    """Draw the choices of ``view``; a change becomes the current view before the next run."""
    scenario = view.scenario
    # The URL is the truth and widgets follow it, also when a link or the Back button changed it.
    several = len(scenario.forget) > 1 or bool(st.session_state.get("bar.several"))
    st.session_state["bar.several"] = several
    st.session_state["bar.forget"] = list(scenario.forget) if several else scenario.forget[0]
    st.session_state["bar.a"], st.session_state["bar.b"] = view.a, view.b
    for name in _MORE:
        st.session_state[f"bar.{name}"] = getattr(scenario, name)

    with st.container(key="scenario-bar", border=True):
        forget, a, b, more = st.columns(
            [6.4, 2.4, 2.4, 1.4], vertical_alignment="bottom", gap="small"
        )
        with forget:
            _class_choice(view, several=several)
        picks = [run.pick for run in runs_of(scenario, view.a, view.b)]
        for column, key, label in ((a, "bar.a", "A"), (b, "bar.b", "B")):
            column.selectbox(
                f"Method {label}",
                picks,
                format_func=short_name,
                key=key,
                on_change=_apply,
                args=(view,),
                help="Rehearsed: ours, it also sees warped images of the class. Tuned: our search. "
                "Paper: as described there. Released: as its published code does it.",
            )
        with more, st.popover("More", icon=":material/tune:", width="stretch"):
            for name in _MORE:
                _control(name, view)
                if name == "dataset":
                    _missing_data_sets()
                    st.toggle(
                        "Forget several classes at once",
                        key="bar.several",
                        on_change=_apply,
                        args=(view,),
                    )
            st.markdown("Link to exactly this view")
            query = "&".join(f"{key}={value}" for key, value in view.query().items())
            st.code(f"{(st.context.url or '').partition('?')[0]}?{query}", wrap_lines=True)
        if note := note_of(scenario.dataset):
            st.caption(f"{DATASETS[scenario.dataset].label}: {note}")


def _class_choice(view: View, *, several: bool) -> None:
    """Chips with a sample image each, or a list where a data set has too many classes for that."""
    dataset = view.scenario.dataset
    names = DATASETS[dataset].class_names
    label = "Forget the classes" if several else FIELDS["forget"].label
    common = {"options": range(len(names)), **_wiring("forget", view)}
    if len(names) > MOST_CHIPS:
        common["format_func"] = names.__getitem__
        if several:
            st.multiselect(label, **common)
        else:
            st.selectbox(label, **common)
        return
    common |= {"format_func": partial(class_chip, dataset, available(dataset)), "width": "stretch"}
    if several:
        st.segmented_control(label, selection_mode="multi", **common)
    else:
        st.segmented_control(label, required=True, **common)


def _control(name: str, view: View) -> None:
    """The widget of a field, by its kind."""
    each, wiring = FIELDS[name], _wiring(name, view)
    match each.kind:
        case Number(low, high, step):
            st.number_input(
                each.label, low, high, step=step, placeholder=each.placeholder, **wiring
            )
        case OneOf(options, in_a_row) as kind:
            choices = _data_sets(view) if name == "dataset" else list(options)
            if in_a_row:
                st.segmented_control(
                    each.label, choices, format_func=kind.label_of, required=True, **wiring
                )
            else:
                st.selectbox(each.label, choices, format_func=kind.label_of, **wiring)


def _wiring(name: str, view: View) -> dict[str, Any]:
    """What the widgets of all fields have in common."""
    return {
        "key": f"bar.{name}",
        "help": FIELDS[name].help,
        "on_change": _apply,
        "args": (view,),
    }


def _data_sets(view: View) -> list[str]:
    present = [name for name in DATASETS if available(name)]
    # One that a link asks for stays in the list: the page says how to get it.
    return [*present, *({view.scenario.dataset} - set(present))]


def _missing_data_sets() -> None:
    if absent := [name for name in DATASETS if not available(name)]:
        labels = listed([DATASETS[name].label for name in absent])
        st.caption(f"Not on this machine: {labels}. {fetch_hint(absent)}")


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
        **{name: state[f"bar.{name}"] for name in _MORE},
    )
    # Through the URL's reader, so that a choice is held to the same rules as a link.
    show(view_from_query(View(scenario, state["bar.a"], state["bar.b"]).query())[0])
