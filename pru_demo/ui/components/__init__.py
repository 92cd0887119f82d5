"""A component is plain files in its own folder; this reads them for ``st.components.v2``.

Streamlit loads a component's script as one ``blob:`` module, from which nothing can be imported
by a relative path. So a larger component is written as several ordinary ES modules (which editors
and Node understand) and joined here, helpers first.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

_RELATIVE_IMPORT = re.compile(r'^import\s[^;]*?\sfrom\s+"\./[^"]+";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


class ComponentFiles(TypedDict):
    """The keyword arguments of ``st.components.v2.component``."""

    html: str
    css: str
    js: str


def read_component(folder: Path, helpers: Sequence[str] = ()) -> ComponentFiles:
    """Read ``component.html``, ``.css`` and ``.js`` from ``folder``.

    Args:
        folder: where the files lie.
        helpers: names of modules in ``folder`` that ``component.js`` imports, each after the ones
            it needs itself. All of them share one scope, so top-level names must differ.
    """
    modules = [(folder / name).read_text("utf-8") for name in (*helpers, "component.js")]
    return ComponentFiles(
        html=(folder / "component.html").read_text("utf-8"),
        css=(folder / "component.css").read_text("utf-8"),
        js="\n".join(_EXPORT.sub("", _RELATIVE_IMPORT.sub("", module)) for module in modules),
    )
