"""Every text that a page asks for is there, and every text that is there is asked for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pru_demo.paths import ROOT
from pru_demo.ui.shared import texts

SCRIPTS = [*(ROOT / "pages").glob("*.py"), *(ROOT / "pru_demo" / "ui").rglob("*.py")]
LOADER = "pru_demo.ui.shared.texts"


def calls(path: Path) -> Iterator[ast.Call]:
    """All calls of :func:`pru_demo.ui.shared.texts.text` in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == LOADER:
            assert [alias.name for alias in node.names if alias.asname] == [], path
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "text":
            yield node


def asked() -> Iterator[tuple[str, set[str], str]]:
    """Key, names of the values, and where: of every call in the user interface."""
    for path in SCRIPTS:
        for call in calls(path):
            where = f"{path.relative_to(ROOT)}:{call.lineno}"
            (key,) = call.args
            assert isinstance(key, ast.Constant), f"{where}: a key is written out"
            names = {keyword.arg for keyword in call.keywords}
            assert None not in names, f"{where}: values are written out"
            yield str(key.value), {str(name) for name in names}, where


def there() -> dict[str, str]:
    return {
        f"{file.stem}.{name}": body
        for file in texts.FOLDER.glob("*.md")
        for name, body in texts.sections_of(file.stem).items()
    }


def test_every_text_that_is_asked_for_is_there_and_gets_what_it_asks_for() -> None:
    sections = there()
    wrong = [
        f"{where}: {key}"
        for key, names, where in asked()
        if key not in sections or texts.placeholders(sections[key]) != names
    ]
    assert wrong == []


def test_every_text_that_is_there_is_asked_for() -> None:
    assert there().keys() == {key for key, *_ in asked()}


def test_no_key_stands_twice_in_a_file_and_none_is_empty() -> None:
    for file in texts.FOLDER.glob("*.md"):
        headings = [line for line in file.read_text("utf-8").splitlines() if line[:2] == "##"]
        assert len(headings) == len(texts.sections_of(file.stem)), file
    assert [key for key, body in there().items() if not body] == []


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A page of texts that is called ``example``."""
    (tmp_path / "example.md").write_text(
        "# Example\n\n## wrapped\nOne\nparagraph of {name}.\n\nAnother: $x_{j \\ne f}^{2}$.\n\n"
        "## short\nTwo words\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    texts.sections_of.cache_clear()
    yield
    texts.sections_of.cache_clear()


def test_lines_of_a_paragraph_are_joined_and_braces_of_formulas_left_alone(example: None) -> None:
    said = texts.text("example.wrapped", name="{x}")
    assert said == "One paragraph of {x}.\n\nAnother: $x_{j \\ne f}^{2}$."
    assert texts.text("example.short") == "Two words"


def test_a_missing_text_is_named(example: None) -> None:
    with pytest.raises(LookupError, match=r"'nothing' in example\.md"):
        texts.text("example.nothing")


@pytest.mark.parametrize("values", [{}, {"name": 1, "other": 2}, {"other": 2}])
def test_a_missing_value_or_one_too_many_is_named(example: None, values: dict[str, int]) -> None:
    with pytest.raises(LookupError, match=r"'example\.wrapped' asks for \['name'\]"):
        texts.text("example.wrapped", **values)
