"""What a value of a scenario may be: read from the text of a link or a command, and written to it.

The text is whatever a stranger typed. A bad value is named in a sentence, never swallowed.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pru_demo.data import DATASETS


class BadValue(ValueError):
    """A sentence without its subject: ``asks for seed “-1”; it must be between 0 and 9999.``"""


class Kind(ABC):
    """What values a field takes."""

    @abstractmethod
    def read(self, text: str, name: str, dataset: str) -> Any:
        """The value that ``text`` writes, for a field called ``name``. Raises BadValue.

        ``dataset`` exists; it decides which classes there are.
        """

    def write(self, value: Any) -> str:
        """The inverse of :meth:`read`."""
        return str(value)


class Labelled(Protocol):
    """An entry of a registry."""

    @property
    def label(self) -> str:
        """What it is called in words."""


@dataclass(frozen=True)
class OneOf(Kind):
    """A name of a registry, or one of a few words, which may be few enough to stand in a row."""

    options: Mapping[str, Labelled] | tuple[str, ...]
    in_a_row: bool = False

    def read(self, text: str, name: str, dataset: str) -> str:
        if text in self.options:
            return text
        raise BadValue(f"asks for {name} “{shortened(text)}”, which does not exist here.")

    def label_of(self, option: str) -> str:
        """``option`` in words."""
        return self.options[option].label if isinstance(self.options, Mapping) else option


@dataclass(frozen=True)
class Number(Kind):
    """A whole number; ``step`` is how far a click moves it."""

    low: int
    high: int
    step: int = 1

    def read(self, text: str, name: str, dataset: str) -> int:
        # Other scripts have digits too; and reading a million of them would take long.
        digits = text.isascii() and text.isdigit() and len(text) <= len(str(self.high))
        if digits and self.low <= int(text) <= self.high:
            return int(text)
        raise BadValue(
            f"asks for {name} “{shortened(text)}”; it must be between {self.low} and {self.high}."
        )


@dataclass(frozen=True)
class Classes(Kind):
    """Classes of the data set, sorted, each once; two or more must be left."""

    def read(self, text: str, name: str, dataset: str) -> tuple[int, ...]:
        count = len(DATASETS[dataset].class_names)
        parts = [part for part in text.split(",") if part.isascii() and part.isdigit()]
        classes = tuple(sorted({int(part) for part in parts if len(part) < 4}))
        readable = len(classes) == text.count(",") + 1 and classes[-1] < count
        # At least two classes must remain, or there is nothing to redistribute to.
        if readable and len(classes) <= count - 2:
            return classes
        raise BadValue(
            f"asks to forget class “{shortened(text)}”; there are classes 0 to {count - 1}."
        )

    def write(self, value: Sequence[int]) -> str:
        """``1,4,9``."""
        return ",".join(map(str, value))


@dataclass(frozen=True)
class ContentHash(Kind):
    """The SHA-256 of a file of one's own, or "" for none."""

    def read(self, text: str, name: str, dataset: str) -> str:
        if not text or re.fullmatch(r"[0-9a-f]{64}", text):
            return text
        raise BadValue(f"names a network “{shortened(text)}”, which is no content hash.")


@dataclass(frozen=True)
class Field:
    """A line of the table of fields. One without ``label`` can be changed by a link only.

    ``label``, ``help`` and ``placeholder`` are what widget and command line say of it. Only an
    ``always`` field is written when it is at its default: leaving out what came later keeps older
    links and keys as they are.
    """

    default: Any
    kind: Kind
    label: str = ""
    help: str | None = None
    placeholder: str | None = None
    always: bool = False


def entry(default: Any, kind: Kind, label: str = "", **more: Any) -> Any:
    """A dataclass field that holds what :class:`Field` says of it."""
    return field(default=default, metadata={"kind": kind, "label": label, **more})


def shortened(text: str) -> str:
    """What a stranger typed, cut to a length that fits into a sentence."""
    return text if len(text) <= 24 else text[:23] + "…"
