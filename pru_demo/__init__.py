"""What a neural network keeps after it "forgets" a class, and how to make it remember."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pru_demo.api import Unlearned, unlearn

__all__ = ["Unlearned", "unlearn"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Not imported above: pages import this package, and they should not pay for torch.
    if name in __all__:
        from pru_demo import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
