"""The frame of every page: configuration, style, navigation, scenario bar."""

from pathlib import Path

import streamlit as st

from pru_demo.data.spec import DamagedData
from pru_demo.paths import ASSETS
from pru_demo.ui.shared.pages import PAGES, PageEnd
from pru_demo.ui.shared.scenario_bar import scenario_bar
from pru_demo.ui.shared.services import STORE
from pru_demo.ui.shared.state import current_view

# Ink is drawn dark on light; in the dark theme the same ink is light on dark. Pictures, which are
# WebP, stay as they are.
DARK_INK = (
    "<style>.digit, [data-testid=stButtonGroup] img[src^='data:image/png'] "
    "{ filter: invert(1); }</style>"
)

st.set_page_config(
    page_title="What a network keeps after it forgets",
    page_icon=str(ASSETS / "icon.png"),
    layout="wide",
)
st.html(Path(__file__).with_name("style.css"))
one_entry_per_page = Path(__file__).with_name("history.js").read_text("utf-8")
st.html(f"<script>{one_entry_per_page}</script>", unsafe_allow_javascript=True)
if st.context.theme.type == "dark":
    st.html(DARK_INK)
pages = [
    st.Page(each.path, title=each.title, icon=each.icon, url_path=each.name, default=not position)
    for position, each in enumerate(PAGES)
]
page = st.navigation(pages, position="top")
scenario_bar(current_view())
notices = st.container()
try:
    page.run()
except PageEnd:
    pass
except DamagedData as problem:
    # Pages that need no images never meet this; those that do have shown what they could.
    st.error(str(problem), icon=":material/broken_image:")
finally:
    # Above everything else, but known only once records have been asked for, also when the page
    # ended early: where results are kept if not where they should be, and what is damaged.
    if STORE.notice:
        notices.warning(STORE.notice, icon=":material/folder_off:")
    for sentence in STORE.damaged():
        notices.warning(sentence, icon=":material/broken_image:")
