"""One spelling for every JSON value, so that equal contents have equal bytes and equal hashes."""

import hashlib
import json
from typing import Any, TypeAlias

# What ``json`` can write. Any, because a recursive alias makes every reader cast and every writer
# fight the invariance of dict and list, while only ``json.dumps`` really checks the value.
JSON: TypeAlias = Any

SCHEMA = 2
"""Raise it when the meaning of stored contents changes: all older keys are then never asked for."""


def canonical_json(value: JSON) -> str:
    """``value`` as compact JSON with sorted keys.

    Raises TypeError for what JSON cannot hold and ValueError for NaN and infinity: a number that
    was not computed is ``None``.
    """
    return json.dumps(
        value, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":")
    )


def content_key(kind: str, content: JSON) -> str:
    """The store key of everything computed from ``content``: ``v2:kind:sha256``.

    The hash keeps whatever a user typed away from file names. Raises as ``canonical_json`` does.
    """
    digest = hashlib.sha256(canonical_json(content).encode()).hexdigest()
    return f"v{SCHEMA}:{kind}:{digest}"
