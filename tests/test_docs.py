"""What the code and the documents refer to is in the repository."""

import re
from pathlib import Path

from pru_demo.paths import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
CITED = re.compile(r'docs/methods\.md(?:``)?,\s+"([^"]+)"|"([^"]+)" in (?:``)?docs/methods\.md')
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
PLACE = re.compile(r"`((?:pru_demo|pages|docs|assets|benchmarks)/[\w./-]*|app\.py|\.ci/run)`")


def sources() -> dict[Path, str]:
    return {path: path.read_text("utf-8") for path in (ROOT / "pru_demo").rglob("*.py")}


def test_sections_that_the_code_cites_are_there() -> None:
    there = set(re.findall(r"^## (.+)$", (ROOT / "docs/methods.md").read_text("utf-8"), re.M))
    cited = {one or other for text in sources().values() for one, other in CITED.findall(text)}
    assert len(cited) > 5
    assert cited <= there


def test_the_code_cites_nothing_that_a_reader_does_not_have() -> None:
    assert [
        path for path, text in sources().items() if re.search(r"\bspec/|shared/paper", text)
    ] == []
    named = {name for text in sources().values() for name in re.findall(r"docs/\w+\.md", text)}
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_links_and_places_in_documents_exist() -> None:
    missing = [
        f"{path.name}: {place}"
        for path in DOCUMENTS
        if path.name != "CHANGELOG.md"  # which tells of what was
        for folder, pattern in ((path.parent, LINK), (ROOT, PLACE))
        for place in pattern.findall(path.read_text("utf-8"))
        if "my_method" not in place and "PAGE" not in place and not any(folder.glob(place))
    ]
    assert missing == []


def test_the_readme_is_read_in_one_go() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150
