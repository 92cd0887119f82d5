"""Start: the paper's question and the answer of the bundled runs, in one screen."""

import streamlit as st

from pru_demo.data import DATASETS
from pru_demo.figures.curves import relearning_figure
from pru_demo.figures.findings import relearning_finding
from pru_demo.figures.naming import forgotten_images, forgotten_name
from pru_demo.models import MODELS
from pru_demo.ui.shared.charts import accuracy_charts
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.explained import controls_said, rehearsal_said
from pru_demo.ui.shared.other_seeds import seeds_of, seeds_said
from pru_demo.ui.shared.pages import link_to
from pru_demo.ui.shared.texts import text

comparison = needed_comparison()
view = comparison.view
name, images = forgotten_name(view.scenario), forgotten_images(view.scenario)
data = DATASETS[view.scenario.dataset]
count = "ten" if len(data.class_names) == 10 else len(data.class_names)

st.title(f"Can a network that forgot {name} be made to remember it?", anchor=False)
story = (
    text("start.story_digits", count=count, images=images)
    if data.drawable
    else text("start.story_images", count=count, images=images)
)
st.markdown(" ".join([story, *map(relearning_finding, comparison.chosen)]))
everyone = [*comparison.references, *comparison.chosen]
seeds = seeds_of(everyone)
accuracy_charts(
    lambda accuracy: relearning_figure(
        everyone, accuracy, controls=comparison.controls, seeds=seeds
    ),
    key="start",
    alt=f"over ten epochs of relearning without {name}",
)
control = [text("start.control")] if MODELS[view.scenario.model].batch_norm else []
mask = controls_said(comparison.controls, comparison.everyone)
rehearsal = rehearsal_said(record.config for record in comparison.chosen)
explained = [text("start.yardsticks"), rehearsal, *control, mask, seeds_said(seeds)]
st.caption("\n\n".join(filter(None, explained)))

st.subheader("Look closer", anchor=False)
for page, label, why in (
    ("forget", "Forget", text("start.forget", name=name)),
    ("perception", "Perception", text("start.perception")),
    ("inside", "Inside", text("start.inside")),
    ("redistribution", "Redistribution", text("start.redistribution", images=images)),
    ("relearning", "Relearning", text("start.relearning", images=images)),
    (
        "try_it",
        "Try it",
        text("start.try_it_digits") if data.drawable else text("start.try_it_images"),
    ),
):
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width=190):
            link_to(page, label, view)
        st.markdown(why, width="content")
