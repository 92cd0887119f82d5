"""Figures, what stands above them, and what of them can be taken away, alike on every page."""

from collections.abc import Callable
from pathlib import PurePath

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pru_demo.figures.style import INK, TITLES, Accuracy

# Text of the dark theme, as .streamlit/config.toml has it.
DARK_INK = "#e6eaf0"

_MEDIA = {".csv": "text/csv", ".json": "application/json", ".html": "text/html"}


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


def titled_columns(*titles: str) -> list[DeltaGenerator]:
    """A column for each title, which stands in it; one below the other where there is no room."""
    columns = st.columns(len(titles))
    for column, title in zip(columns, titles, strict=True):
        column.markdown(f"**{title}**")
    return columns


def accuracy_charts(make: Callable[[Accuracy], go.Figure], *, key: str, alt: str) -> None:
    """A_f and A_r side by side."""
    for column, accuracy in zip(titled_columns(*TITLES.values()), TITLES, strict=True):
        with column:
            chart(make(accuracy), key=f"{key}-{accuracy}", alt=f"{TITLES[accuracy]} {alt}")


def download(
    label: str,
    data: str | Callable[[], str],
    file: str,
    *,
    key: str | None = None,
    meaning: str | None = None,
) -> None:
    """Offer ``data``, made on request if it is a function, as a file; the page stays as it is."""
    st.download_button(
        label,
        data,
        file,
        _MEDIA[PurePath(file).suffix],
        key=key,
        help=meaning,
        icon=":material/download:",
        on_click="ignore",
    )
