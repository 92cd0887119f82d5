"""Sample images as HTML: enlarged without blur, dark ink on light paper in either theme."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """PNG data URI of one (H, W) image, white-on-black turned into dark on light."""
    buffer = io.BytesIO()
    Image.fromarray(255 - pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def strip(
    images: Sequence[NDArray[np.uint8]], captions: Sequence[str], *, size: int = 48, alt: str
) -> None:
    """A row of (H, W) images that wraps, each with a short caption below."""
    cells = "".join(
        f'<figure style="margin:0;text-align:center">'
        f'<img class="digit" src="{data_uri(image)}" width="{size}" height="{size}" alt="" '
        f'style="image-rendering:pixelated;border-radius:4px;border:1px solid #8886">'
        f'<figcaption style="font-size:14px">{escape(caption)}</figcaption></figure>'
        for image, caption in zip(images, captions, strict=True)
    )
    st.html(
        f'<div role="img" aria-label="{escape(alt)}" '
        f'style="display:flex;flex-wrap:wrap;gap:8px">{cells}</div>'
    )
