"""Plotly figures the way every page shows them."""

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from pru_demo.figures.style import INK, TITLES, Accuracy

# Text of the dark theme, as .streamlit/config.toml has it.
DARK_INK = "#e6eaf0"


def chart(figure: go.Figure, *, key: str, alt: str) -> None:
    """Show ``figure`` across the page with a download button for its image, and an alt text."""
    st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        config={
            "displaylogo": False,
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {"format": "svg", "filename": key},
        },
    )


def ink() -> str:
    """The theme's colour of text, for what figures must draw in it themselves."""
    return DARK_INK if st.context.theme.type == "dark" else INK


def accuracy_charts(make: Callable[[Accuracy], go.Figure], *, key: str, alt: str) -> None:
    """A_f and A_r side by side; one below the other where there is no room."""
    for column, accuracy in zip(st.columns(2), TITLES, strict=True):
        with column:
            st.markdown(f"**{TITLES[accuracy]}**")
            chart(make(accuracy), key=f"{key}-{accuracy}", alt=f"{TITLES[accuracy]} {alt}")
