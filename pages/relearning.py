"""Relearning: turn the clock forward and see what comes back."""

import numpy as np
import pandas as pd
import streamlit as st

from pru_demo.experiment.record import shown_forgotten
from pru_demo.figures.curves import relearning_figure
from pru_demo.figures.findings import comeback_finding, control_finding, relearning_finding
from pru_demo.figures.naming import forgotten_images, forgotten_name, pick_name
from pru_demo.models import MODELS
from pru_demo.ui.shared.charts import accuracy_charts
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.images import sample_images, strip

SHOWN_IMAGES = 16

comparison = needed_comparison()
name = forgotten_name(comparison.view.scenario)
# Drawn in this order: what was chosen lies over its yardsticks.
everyone = [*comparison.references, *comparison.chosen]

st.title(f"Make it remember {name}", anchor=False)
st.markdown(
    "Every network is now trained on new images of the **other** classes, not one of the "
    f"{forgotten_images(comparison.view.scenario)} among them. "
    + " ".join(relearning_finding(record) for record in comparison.chosen)
)
last = comparison.view.scenario.relearn_epochs
epoch = st.slider("Relearning epoch", 0, last, last, key="epoch", bind="query-params")
accuracy_charts(
    lambda accuracy: relearning_figure(everyone, accuracy, epoch=epoch, show_published=True),
    key="relearning",
    alt=f"up to relearning epoch {epoch} without {name}",
)
circles = (
    "Open circles left of zero: the **BatchNorm-only control**, the network after one pass over "
    "the same images without any weight update."
    if MODELS[comparison.view.scenario.model].batch_norm
    else "This network has no BatchNorm, so there is no BatchNorm-only control."
)
st.markdown(
    f"{circles} Stars: **published values** (Table 2: full-width network, mean over ten classes "
    "and five trials)."
)
for sentence in filter(None, map(control_finding, comparison.chosen)):
    st.markdown(sentence)

st.subheader(f"Which {forgotten_images(comparison.view.scenario)} come back first", anchor=False)
images = sample_images(comparison.view.scenario.dataset)
for record in comparison.chosen:
    forgotten = np.flatnonzero(shown_forgotten(record))
    labels = record.arrays["labels"][forgotten]
    path = record.arrays["predicted"][[record.unlearned, *record.stage("relearn")]][:, forgotten]
    recognised = path == labels
    back = np.flatnonzero(recognised[: epoch + 1].any(axis=0) & ~recognised[0])
    since = recognised.argmax(axis=0)
    first = back[np.argsort(since[back], kind="stable")]
    st.markdown(
        comeback_finding(
            record,
            epoch,
            kept=100 * float(recognised[0].mean()),
            back=100 * len(first) / len(forgotten),
        )
    )
    chosen = first[: 0 if record.config.pick.method == "original" else SHOWN_IMAGES]
    strip(
        [images[record.arrays["shown"][forgotten[i]]] for i in chosen],
        [f"epoch {since[i]}" for i in chosen],
        alt=f"The first images of {name} that {pick_name(record.config.pick)} recognises again",
    )

with st.expander("The numbers behind the figure", icon=":material/table:"):
    table = pd.DataFrame(
        {
            (pick_name(r.config.pick), accuracy): r.relearning(accuracy)
            for r in everyone
            for accuracy in ("A_f", "A_r")
        }
    ).round(2)
    table.columns = [" · ".join(column) for column in table.columns]
    table.index.name = "epoch"
    st.dataframe(table, alt="A_f and A_r in percent for every relearning epoch")
    st.download_button(
        "Download (CSV)",
        table.to_csv(),
        f"relearning-{name}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
