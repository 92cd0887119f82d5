"""What a page says belongs to what it shows."""

import pytest

from pru_demo.runs.store import Store
from tests.pages.fake_engine import FakeEngine
from tests.pages.visits import BUNDLED, NOT_BUNDLED, SHIPPED, go, new_session, problems, texts

pytestmark = pytest.mark.skipif(not BUNDLED, reason=NOT_BUNDLED)


@pytest.mark.parametrize(
    ("picture", "plays", "is_measured"),
    [("One map over time", True, True), ("Joint PCA", True, False), ("Classic UMAP", False, False)],
)
def test_the_trust_in_a_map_is_stated_with_that_map_only(
    store: Store, engine: FakeEngine, picture: str, plays: bool, is_measured: bool
) -> None:
    app = go(new_session(SHIPPED), "perception")
    app.segmented_control(key="picture").set_value(picture).run()
    assert problems(app) == []
    assert ("Press play" in texts(app)) == plays
    assert ("Colour by" in texts(app)) == plays
    assert ("trustworthiness" in texts(app)) == is_measured


@pytest.mark.parametrize(
    ("page", "terms"),
    [
        ("start", ["Retrain", "Original", "BatchNorm-only control"]),
        ("forget", ["L_p", "E step", "C step", "D_f", "D_r_new", "Forward passes"]),
        ("redistribution", ["S", "S_re", "D_KL"]),
    ],
)
def test_terms_of_the_paper_are_explained_where_they_stand(
    store: Store, engine: FakeEngine, page: str, terms: list[str]
) -> None:
    app = go(new_session(SHIPPED), page)
    assert [term for term in terms if f"**{term}**" not in texts(app)] == []
