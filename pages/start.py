"""Start: the paper's question and the answer of the bundled runs, in one screen."""

import streamlit as st

from pru_demo.data import DATASETS
from pru_demo.figures.curves import relearning_figure
from pru_demo.figures.findings import relearning_finding
from pru_demo.figures.naming import forgotten_images, forgotten_name
from pru_demo.models import MODELS
from pru_demo.ui.shared.charts import accuracy_charts
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.pages import link_to

comparison = needed_comparison()
view = comparison.view
name, images = forgotten_name(view.scenario), forgotten_images(view.scenario)
data = DATASETS[view.scenario.dataset]
learned, others = "learned to tell the images of {} classes apart", "images of the other classes"
if data.drawable:
    learned, others = "read all {} digits", "other digits"
count = "ten" if len(data.class_names) == 10 else len(data.class_names)

st.title(f"Can a network that forgot {name} be made to remember it?", anchor=False)
st.markdown(
    f"A network {learned.format(count)}. It was then told to forget the {images}. Now train it a "
    f"little on **{others} only** and look again. "
    + " ".join(relearning_finding(record) for record in comparison.chosen)
)
accuracy_charts(
    lambda accuracy: relearning_figure([*comparison.references, *comparison.chosen], accuracy),
    key="start",
    alt=f"over ten epochs of relearning without {name}",
)

control = (
    " **BatchNorm-only control**: the network after it has looked at the new images once, with its "
    "BatchNorm statistics refreshed but no weight changed; what comes back by that alone was only "
    "hidden."
)
st.caption(
    "**Retrain** is a network that was trained from scratch without the class: what forgetting "
    "should look like. **Original** has forgotten nothing."
    + (control if MODELS[view.scenario.model].batch_norm else "")
)

st.subheader("Look closer", anchor=False)
for page, label, text in (
    ("forget", "Forget", f"Watch the network forget {name}, half an epoch at a time, or run it."),
    ("perception", "Perception", "See the same samples move through the network's feature space."),
    ("inside", "Inside", "Which layers changed, and what their weights do not show."),
    ("redistribution", "Redistribution", f"Where do the {images} go, and why there?"),
    ("relearning", "Relearning", f"Turn the clock forward and see which {images} come back first."),
    (
        "try_it",
        "Try it",
        f"{'Draw a digit' if data.drawable else 'Pick an image'} and ask every network what it "
        "sees.",
    ),
):
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width=190):
            link_to(page, label, view)
        st.markdown(text, width="content")
