"""The longer texts of pages, from ``ui/texts``: to be edited, or translated, without touching code.

``inside.md`` holds what the page Inside says, ``shared.md`` what several pages do. Under a heading
``## key`` stand one or more paragraphs; a line break in one is a space, and for ``{name}`` the page
puts in what it knows.
"""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "texts"
# A name and no more: formulas have braces of their own.
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_HEADING = re.compile(r"^## (\S+)$", re.MULTILINE)


def text(key: str, **values: object) -> str:
    """The text ``PAGE.key`` with ``values`` in its placeholders.

    Raises LookupError, naming both, for a key that is not there and for values that are not those
    that its placeholders ask for.
    """
    page, _, name = key.partition(".")
    sections = sections_of(page)
    if name not in sections:
        raise LookupError(f"There is no text {name!r} in {page}.md.")
    wanted = placeholders(sections[name])
    if wanted != values.keys():
        raise LookupError(
            f"The text {key!r} asks for {sorted(wanted)} and was given {sorted(values)}."
        )
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), sections[name])


def placeholders(section: str) -> set[str]:
    """The names that a text asks for."""
    return set(_PLACEHOLDER.findall(section))


@cache
def sections_of(page: str) -> dict[str, str]:
    """The texts of a page by their keys; each paragraph is one line."""
    # What stands before the first heading is the page's title.
    _, *parts = _HEADING.split((FOLDER / f"{page}.md").read_text(encoding="utf-8"))
    return dict(zip(parts[::2], map(_paragraphs, parts[1::2]), strict=True))


def _paragraphs(body: str) -> str:
    return "\n\n".join(" ".join(part.splitlines()) for part in body.strip().split("\n\n"))
