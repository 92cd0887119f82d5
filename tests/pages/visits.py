"""What a visitor does and sees, in the words of the tests: pages opened by AppTest."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from pru_demo.config import RunConfig, Scenario
from pru_demo.links import View
from pru_demo.paths import RECORDS, ROOT
from pru_demo.store.bundle import MANIFEST, Bundle
from pru_demo.ui.components.draw_pad import SIDE
from pru_demo.ui.shared.pages import PAGES

MAIN = ROOT / "pru_demo" / "ui" / "main.py"
# Everything takes longer while a network is being trained beside the tests.
PATIENCE = 120
BUNDLED = (RECORDS / MANIFEST).exists()
NOT_BUNDLED = "assets/records is not made yet: python -m pru_demo precompute"

# These show one scenario and offer to run what is missing; the others show something whatever is
# chosen in the bar.
SCENARIO_PAGES = tuple(page for page in PAGES if page.name != "runs")

SHIPPED = View()
# Nobody ships this one.
MISSING = View(Scenario(forget=(3,)))


def bundled_runs() -> list[RunConfig]:
    """All runs in the manifest of ``assets/records``."""
    bundle = Bundle(RECORDS)
    records = [key for key in bundle.keys() if key.split(":")[1] == "run"]  # noqa: SIM118
    metas = filter(None, map(bundle.meta, records))
    runs = [RunConfig.from_content(meta["config"]) for meta in metas]
    return sorted(runs, key=lambda run: str(run.content()))


def new_session(view: View | None = None, **query: str) -> AppTest:
    """The app as somebody sees it who follows a link to Start; ``query`` wins over ``view``."""
    app = AppTest.from_file(MAIN, default_timeout=PATIENCE)
    app.query_params.update((view.query() if view else {}) | query)
    return app.run()


def go(app: AppTest, page: str, view: View | None = None) -> AppTest:
    """Open another page, of another view if one is given."""
    if view:
        app.query_params.update(view.query())
    # Relative to the main script, and only after its first run.
    return app.switch_page(f"../../pages/{page}.py").run()


def texts(app: AppTest) -> str:
    """All sentences of the page, one a line; neither navigation nor scenario bar."""
    kinds = ("title", "subheader", "markdown", "caption", "info", "warning", "error", "success")
    found = [str(element.value) for kind in kinds for element in app.get(kind)]
    found += [element.proto.body for element in app.get("html")]
    found += [element.proto.text for element in app.get("progress")]
    return "\n".join(found)


def problems(app: AppTest) -> list[str]:
    """What went wrong, and what the page calls an error."""
    return [str(e.value) for e in (*app.exception, *app.error)]


def figures(app: AppTest) -> list[dict[str, Any]]:
    """The Plotly figures of the page, as sent to the browser."""
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def pictures(app: AppTest) -> int:
    """How many figures there are, films of the map player included."""
    components = app.get("bidi_component")
    films = [each for each in components if each.proto.component_name.endswith("map_player")]
    return len(figures(app)) + len(films)


def buttons(app: AppTest, start: str) -> list[Any]:
    """The buttons whose key begins with ``start``."""
    return [button for button in app.button if (button.key or "").startswith(start)]


def drawing(ink: bool = True) -> Mapping[str, Any]:
    """What the draw pad sends for an upright stroke, or for a sheet that was cleared."""
    sheet = np.zeros((SIDE, SIDE), np.uint8)
    if ink:
        sheet[10:74, 38:46] = 255
    pixels = base64.b64encode(sheet.tobytes()).decode()
    return {"drawing": {"strokes": 1, "pixels": pixels}}
