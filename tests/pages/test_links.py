"""A link may say anything: the page opens, says what it replaced, and cleans the address."""

import re

import pytest

from pru_demo.config import FIELDS
from pru_demo.ui.shared.pages import PAGES
from tests.pages.visits import SHIPPED, go, new_session, problems, texts

HOSTILE = {
    "a class that does not exist": {"forget": "42"},
    "all classes": {"forget": "0,1,2,3,4,5,6,7,8,9"},
    "a negative class": {"forget": "-1"},
    "a class in other digits": {"forget": "٣"},
    "no class": {"forget": ""},
    "an infinite seed": {"seed": "1e999"},
    "a negative seed": {"seed": "-1"},
    "a seed of ten thousand digits": {"seed": "9" * 10_000},
    "a script as method": {"a": "<script>alert(1)</script>:tuned"},
    "a script as variant": {"a": "pru:<script>alert(1)</script>"},
    "an unknown variant": {"b": "boundary_shrink:best"},
    "a variant of another method": {"a": "retrain:tuned"},
    "ten thousand characters": {"dataset": "x" * 10_000},
    "a path": {"model": "../../../etc/passwd"},
    "a parameter that is no number": {"a.lambda_s": "nan"},
    "a parameter that does not exist": {"b.nothing": "1"},
    "a script as parameter": {"b.attack": "<script>alert(1)</script>"},
    "a null byte": {"preset": "full\0"},
    "a picture from elsewhere": {"preset": "![](//e.x/i.png)"},
    "a link to elsewhere": {"preset": "[win](//e.x)"},
    "a formula and an icon": {"preset": "$x^2$ :smile: :red[!]"},
}


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE)
def test_a_bad_value_is_replaced_with_a_notice_and_leaves_the_address(
    query: dict[str, str],
) -> None:
    app = new_session(**query)
    assert problems(app) == []
    assert len(app.toast) == 1
    assert len(app.toast[0].value) < 200
    # Falls back to what the bare address shows, with another variant where only that was wrong.
    wanted = SHIPPED.query() | ({"a": "retrain:paper"} if "retrain" in query.get("a", "") else {})
    if query.get("b"):
        wanted["b"] = "boundary_shrink:tuned"
    assert dict(app.query_params) == wanted
    # What the link says is shown as text only.
    assert re.findall(r"(?<!\\)[<>\[\]`$*_:]", app.toast[0].value) == []
    (typed,) = query.values()
    if len(typed) > 3:
        assert typed not in texts(app)
    app.run()
    assert len(app.toast) == 0


def test_all_bad_at_once_opens_every_page_of_the_default_view() -> None:
    hostile = dict.fromkeys(SHIPPED.query(), "<b>" + "y" * 10000)
    app = new_session(**hostile)
    assert len(app.toast) == len(hostile)
    for page in PAGES:
        app.query_params.update(hostile)
        go(app, page.name)
        assert problems(app) == [], page.name
        assert dict(app.query_params).items() >= SHIPPED.query().items(), page.name


def test_parameters_of_others_are_left_alone() -> None:
    app = new_session(utm_source="newsletter", forget="9")
    assert app.query_params["utm_source"] == "newsletter"
    assert len(app.toast) == 0


def test_of_a_repeated_parameter_the_last_counts() -> None:
    app = new_session()
    app.query_params["forget"] = ["3", "9", "4"]
    app.run()
    assert problems(app) == []
    assert app.session_state["bar.forget"] == 4


def test_the_view_goes_along_to_the_next_page() -> None:
    app = new_session(forget="4", seed="11", b="retrain:paper")
    query = dict(app.query_params)
    app.query_params.clear()  # as Streamlit does when a visitor uses the navigation
    go(app, "relearning")
    assert dict(app.query_params) == query
    assert query.items() >= {"forget": "4", "seed": "11", "b": "retrain:paper"}.items()


LATER = {
    "given": "D_f_new",
    "forget_samples": "100",
    "original": "ab" * 32,
    "relearn_epochs": "20",
    "max_batch": "32",
}


def test_what_a_link_may_leave_out_is_read_and_leaves_the_address_at_its_default() -> None:
    assert LATER.keys() == FIELDS.keys() - SHIPPED.query().keys()
    app = new_session()
    for name, value in LATER.items():
        app.query_params[name] = value
        assert dict(app.run().query_params) == SHIPPED.query() | {name: value}
        assert problems(app) == [], name
        app.query_params.clear()
        app.query_params.update(SHIPPED.query())
        assert dict(app.run().query_params) == SHIPPED.query()
