"""The table of runs on the page, with rows to select."""

import hashlib
from typing import Any

import pandas as pd
import streamlit as st

_SELECTED = "runs.selected"
# So many that what the selection allows stands below them on the same screen.
_ROWS, _ROW_PIXELS = 6.5, 35


def selected_keys(table: pd.DataFrame) -> list[str]:
    """Draw ``table`` and return the keys of the rows that are selected, from top to bottom."""
    # Streamlit knows selected rows by position only. So other rows are another widget, which starts
    # with those of the selected runs that it still shows: no other run slips under the selection.
    digest = hashlib.sha256("\n".join(table.index).encode()).hexdigest()[:16]
    kept = set(st.session_state.get(_SELECTED, ()))
    state = st.dataframe(
        table,
        key=f"runs.table.{digest}",
        height=int(min(_ROWS, len(table)) * _ROW_PIXELS) + _ROW_PIXELS + 2,
        row_height=_ROW_PIXELS,
        hide_index=True,
        column_config=_COLUMNS,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={
            "selection": {"rows": [i for i, key in enumerate(table.index) if key in kept]}
        },
        placeholder="–",
        alt="All stored runs: what was asked, what came out, what it cost",
    )
    keys = [str(table.index[row]) for row in sorted(state["selection"]["rows"])]
    st.session_state[_SELECTED] = keys
    return keys


def _text(width: int, meaning: str | None = None) -> Any:
    return st.column_config.TextColumn(width=width, help=meaning)


def _percent(label: str, width: int, meaning: str) -> Any:
    return st.column_config.NumberColumn(
        label, width=width, help=f"{meaning}, in percent.", format="%.1f"
    )


# Wide enough for what stands in them most often, and narrow enough for a screen to show when a run
# was made and whose it is.
_COLUMNS: dict[str, Any] = {
    "method": _text(134),
    "variant": _text(78),
    "forgot": _text(64),
    "A_f": _percent("A_f", 58, "Accuracy on the forgotten classes right after unlearning"),
    "A_r": _percent("A_r", 58, "Accuracy on all other classes right after unlearning"),
    "A_f relearned": _percent(
        "A_f relearned", 106, "The highest A_f of all epochs of relearning on the other classes"
    ),
    "A_f BatchNorm only": _percent(
        "A_f BN only",
        98,
        "A_f after one pass over the other classes that refreshes BatchNorm's statistics and moves "
        "no weight",
    ),
    "state": _text(90, "Why there is nothing to measure: a broken network has not forgotten."),
    "preset": _text(86),
    "data set": _text(78),
    "forgot with": _text(90, "D_f: images it learned from. D_f_new: images it has never seen."),
    "whose": _text(
        108,
        "**you**: started by this browser. **shipped**: comes with the program. **not recorded**: "
        "from the command line, or older than this column.",
    ),
    "when": _text(146, "When the run was made, by your clock."),
    "seconds": st.column_config.NumberColumn(
        width=72, format="%.0f", help="All of the run, relearning and measuring included."
    ),
    "network": _text(210),
    "seed": st.column_config.NumberColumn(width=52, format="%d"),
    "device": _text(190),
}
