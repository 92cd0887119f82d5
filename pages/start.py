"""Start: the paper's question and the answer of the bundled runs, in one screen."""

import streamlit as st

from pru_demo.figures.findings import relearning_finding
from pru_demo.figures.naming import forgotten_name
from pru_demo.figures.relearning import relearning_figure
from pru_demo.ui.charts import accuracy_charts
from pru_demo.ui.comparison import needed_comparison
from pru_demo.ui.pages import link_to

comparison = needed_comparison()
view = comparison.view
name = forgotten_name(view.scenario)

st.title(f"Can a network that forgot {name} be made to remember it?", anchor=False)
st.markdown(
    f"A network read all ten digits. It was then told to forget the {name}s, and did: it stopped "
    f"calling them {name}. Now train it a little on **other digits only** and look again. "
    + " ".join(relearning_finding(record) for record in comparison.chosen)
)
accuracy_charts(
    lambda accuracy: relearning_figure([*comparison.references, *comparison.chosen], accuracy),
    key="start",
    alt=f"over ten epochs of relearning without {name}",
)

st.subheader("Look closer", anchor=False)
for page, label, text in (
    ("forget", "Forget", f"Watch the network forget {name}, half an epoch at a time, or run it."),
    ("perception", "Perception", "See the same samples move through the network's feature space."),
    ("redistribution", "Redistribution", f"Where do the {name}s go, and why there?"),
    ("relearning", "Relearning", f"Turn the clock forward and see which {name}s come back first."),
    ("try_it", "Try it", "Draw a digit and ask every network what it sees."),
):
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width=190):
            link_to(page, label, view)
        st.markdown(text, width="content")
