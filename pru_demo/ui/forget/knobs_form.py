"""The form in which A and B are turned by hand: a widget per parameter, by what it may be."""

import math
from typing import Any

import streamlit as st

from pru_demo.config import RunConfig, setting_of
from pru_demo.figures.naming import changes_name, pick_name
from pru_demo.knobs import Choice, Knob, Span, words_of, written
from pru_demo.links import View, knobs_on, turned
from pru_demo.ui.shared.state import show
from pru_demo.ui.shared.texts import text

# How many orders of magnitude a logarithmic slider reaches down from its end.
_DECADES = 5
# Whole numbers in a span of at most this are all on the slider, of others the powers of two.
_MOST_WHOLE = 100


def knobs_form(view: View) -> None:
    """What can be set about A and B; what is turned goes into the link and so to every page."""
    runs = view.runs().items()
    said = [f"{letter}: {changes_name(run.pick)}" for letter, run in runs if run.pick.changes]
    # A new label closes it: who has turned something wants to see what comes of it.
    with st.expander(" · ".join(["Turn the knobs", *said]), icon=":material/tune:"):
        st.caption(text("forget.knobs"))
        with st.form("knobs", border=False):
            for column, (letter, run) in zip(st.columns(2, gap="large"), runs, strict=True):
                with column:
                    _side(letter, run, view)
            st.form_submit_button(
                "Show it", type="primary", icon=":material/check:", on_click=_apply, args=(view,)
            )


def positions(span: Span, *known: float, logarithmic: bool) -> list[float]:
    """Where a slider over ``span`` stops: at its ends, at ``known`` values and at round ones."""
    stops: list[float]
    if span.whole and span.high - span.low <= _MOST_WHOLE:
        stops = list(range(int(span.low), int(span.high) + 1))
    elif span.whole:
        stops = [2**power for power in range(int(span.high).bit_length())]
    elif logarithmic:
        top = math.ceil(math.log10(span.high))
        powers = range(top - _DECADES, top + 1)
        stops = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    else:
        unit = 10 ** math.ceil(math.log10(span.high - span.low))
        first, last = (math.ceil(20 * end / unit) for end in (span.low, span.high))
        stops = [round(n * unit / 20, 9) for n in range(first, last + 1)]
    within = {stop for stop in stops if span.low < stop < span.high}
    return sorted(within | {span.low, span.high, *known})


def _side(letter: str, run: RunConfig, view: View) -> None:
    """The knobs of A or B, two in a row, and the way back to the variant."""
    st.markdown(f"**{letter}: {pick_name(run.pick)}**")
    st.caption(setting_of(run).origin)
    knobs = list(knobs_on(run.scenario, run.pick).items())
    for first in range(0, len(knobs), 2):
        for column, (name, knob) in zip(st.columns(2), knobs[first : first + 2], strict=False):
            with column:
                _widget(letter, run, name, knob)
    if run.pick.changes:
        st.form_submit_button(
            f"Back to {pick_name(run.pick.plain)}",
            key=f"knobs.{letter}.back",
            icon=":material/undo:",
            on_click=show,
            args=(view.with_picks({letter: run.pick.plain}),),
        )


def _widget(letter: str, run: RunConfig, name: str, knob: Knob) -> None:
    own, now = _values(run, name)
    words = words_of(name)
    label = words.symbol if own == now else f"{words.symbol} ({run.pick.variant}: {written(own)})"
    common: dict[str, Any] = {"help": words.meaning or None, "key": _key(letter, run, name)}
    match knob:
        case Span():
            stops = positions(knob, own, now, logarithmic=words.logarithmic)
            st.select_slider(label, stops, now, format_func=written, **common)
        case Choice(options) if {*options} == {False, True}:
            st.toggle(label, now, **common)
        case Choice(options):
            st.segmented_control(
                label, options, default=now, required=True, format_func=written, **common
            )


def _values(run: RunConfig, name: str) -> tuple[Any, Any]:
    """What a parameter is in the variant, and what it is now."""
    own, now = (setting_of(RunConfig(run.scenario, p)).params for p in (run.pick.plain, run.pick))
    return getattr(own, name), getattr(now, name)


def _key(letter: str, run: RunConfig, name: str) -> str:
    """Of the widget of a parameter; another one once the link or the bar has changed it."""
    own, now = map(written, _values(run, name))
    return f"knobs.{letter}.{run.pick.method}.{name}.{own}.{now}"


def _apply(view: View) -> None:
    """Callback: the widgets' values as the current view."""
    picks = {
        letter: turned(
            run.pick.plain,
            {
                name: st.session_state[_key(letter, run, name)]
                for name in knobs_on(run.scenario, run.pick)
            },
            run.scenario,
        )[0]
        for letter, run in view.runs().items()
    }
    show(view.with_picks(picks))
