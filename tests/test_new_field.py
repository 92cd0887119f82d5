"""A new field of a scenario is one line of its table: link, command line, bar and key have it."""

from typing import Any

import pytest

from tests.test_imports import run_python

LINE = '    noise: int = entry(3, Number(0, 9), "Noise", help="In percent.")\n'

PAGE = """
from pru_demo.ui.shared.scenario_bar import scenario_bar
from pru_demo.ui.shared.state import current_view
scenario_bar(current_view())
"""

# The package with the line added, as far as a field can be seen.
SEEN = """
import json, sys, types
from pathlib import Path

import pru_demo
config = types.ModuleType("pru_demo.config")
sys.modules["pru_demo.config"] = pru_demo.config = config
source = Path("pru_demo/config.py").read_text()
after = "    original: str ="
assert source.count(after) == 1
exec(source.replace(after, {line!r} + after), config.__dict__)

from argparse import ArgumentParser
from streamlit.testing.v1 import AppTest
from pru_demo.cli.options import add_run_options, configs_of
from pru_demo.config import Pick, RunConfig, Scenario
from pru_demo.links import view_from_query

def identity(scenario):
    return RunConfig(scenario, Pick("pru", "paper")).identity()

parser = ArgumentParser()
add_run_options(parser)
view, notices = view_from_query({{"noise": "5"}})
command = configs_of(parser.parse_args(["--noise", "5"]))[0].scenario
app = AppTest.from_string({page!r}, default_timeout=60)
app.query_params["noise"] = "5"
widget = app.run().number_input(key="bar.noise")
shown = [widget.label, widget.value, widget.min, widget.max, widget.help]
app = widget.set_value(7).run()
print(json.dumps({{
    "link": [view.scenario.noise, notices, view.query()["noise"]],
    "bad": view_from_query({{"noise": "10"}})[1],
    "default": [Scenario().noise, "noise" in Scenario().content()],
    "command": command == view.scenario,
    "help": " ".join(parser.format_help().split()),
    "shown": shown,
    "chosen": dict(app.query_params)["noise"],
    "problems": [str(e.value) for e in app.exception],
    "key": [identity(view.scenario).get("noise"), identity(Scenario()).get("noise")],
    "again": RunConfig.from_content(RunConfig(view.scenario, view.a).content()).scenario.noise,
}}))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each place makes of the field, in a process of its own."""
    code = SEEN.format(line=LINE, page=PAGE)
    content: dict[str, Any] = run_python(code, tmp_path_factory.mktemp("field"))
    return content


def test_a_link_reads_writes_and_checks_it(seen: dict[str, Any]) -> None:
    assert seen["link"] == [5, [], "5"]
    assert seen["bad"] == ["The link asks for noise “10”; it must be between 0 and 9."]
    assert seen["default"] == [3, False], "older links stay as they are"


def test_the_command_line_takes_it(seen: dict[str, Any]) -> None:
    assert seen["command"]
    assert "--noise NOISE Noise. In percent. 0 to 9. Default: 3." in seen["help"]


def test_the_bar_shows_it_and_changes_the_link(seen: dict[str, Any]) -> None:
    assert seen["shown"] == ["Noise", 5, 0, 9, "In percent."]
    assert seen["chosen"] == "7"
    assert seen["problems"] == []


def test_keys_and_records_have_it_only_where_it_is_not_the_default(seen: dict[str, Any]) -> None:
    assert seen["key"] == [5, None]
    assert seen["again"] == 5
