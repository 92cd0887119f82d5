"""Try it: draw, upload or pick an image, and ask every network what it sees."""

import streamlit as st

from pru_demo.data import DATASETS
from pru_demo.evaluation.destinations import redistributed, resolvable
from pru_demo.experiment.record import KEPT_EPOCHS
from pru_demo.figures.answers import before_after_figure, opinions_figure
from pru_demo.figures.naming import forgotten_example, forgotten_name, pick_name
from pru_demo.ui.shared.charts import chart, ink
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.images import strip
from pru_demo.ui.shared.pages import end_page, go_to
from pru_demo.ui.shared.texts import text
from pru_demo.ui.try_it.digit_input import chosen_digit
from pru_demo.ui.try_it.guest_image import LABELS, Guest, keep_guest, opinions_of, warm_up

comparison = needed_comparison()
scenario = comparison.view.scenario
data, forget = DATASETS[scenario.dataset], list(scenario.forget)
names, example = data.class_names, forgotten_example(scenario)
name = forgotten_name(scenario)

st.title(f"{'Draw' if data.drawable else 'Show it'} {example} and ask", anchor=False)
warm_up()
left, right = st.columns([2, 3], gap="large")
with left:
    digit = chosen_digit(scenario.dataset)
with right:
    if digit is None:
        way = "Draw" if data.drawable else "Upload"
        st.markdown(text("try_it.invitation", draw=way, example=example, name=name))
        end_page()

original, retrained = comparison.yardstick("original"), comparison.yardstick("retrain")
fixed = [r for r in (original, retrained) if r is not None]
with right:
    epoch = st.select_slider(
        "Relearned for (epochs)", KEPT_EPOCHS, 0, key="relearned", help="0: right after unlearning."
    )
    # Original and Retrain are shown as they are: they are what the others are compared with.
    others = [r for r in (*comparison.chosen, *comparison.controls) if r not in fixed]
    networks = [(r, 0) for r in fixed] + [(r, epoch) for r in others]
    opinions = opinions_of(networks, digit.pixels)
    if not opinions:
        st.info(text("try_it.not_stored"))
        end_page()
    picture, what = st.columns([1, 3], vertical_alignment="center")
    with picture:
        height, width = digit.pixels.shape[-2:]
        seen = f"{width} × {height}, as the networks see it"
        strip([digit.pixels], [seen], size=112, alt="The image as seen")
    with what:
        st.markdown(", ".join(f"{who}: **{names[p.argmax()]}**" for who, p in opinions.items()))
        if st.button("Drop it on the map", icon=":material/pin_drop:"):
            keep_guest(Guest(digit.pixels, LABELS[digit.source], scenario.dataset))
            go_to("perception", comparison.view)
    chart(
        opinions_figure(opinions, names, forget, ink()),
        key="opinions",
        alt="Probabilities of every class, for every network",
    )
p = None if original is None else opinions.get(pick_name(original.config.pick))
if p is not None and resolvable(p[None], forget)[0]:
    with st.expander("How PRU would redistribute this one (Eq. 1–2)", icon=":material/call_split:"):
        chart(
            before_after_figure(p, redistributed(p[None], forget)[0], names),
            key="redistributed",
            alt="Probabilities before and after redistribution",
        )
