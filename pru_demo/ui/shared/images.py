"""Sample images as HTML: enlarged without blur, white ink shown as dark ink on light paper.

Ink becomes PNG and is turned back by the dark theme (``main.py``); pictures become WebP and stay.
"""

import base64
import io
from collections.abc import Sequence
from functools import lru_cache
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from pru_demo.data import DATASETS, read_part
from pru_demo.data.spec import DamagedData


def sample_images(dataset: str) -> NDArray[np.uint8]:
    """The test part as pages show it: (N, 1, H, W) white ink on black, or (N, 3, H, W) pictures.

    Raises :class:`pru_demo.data.idx.DamagedData` when it cannot be read.
    """
    images, _ = read_part(dataset, "test")
    if DATASETS[dataset].white_ink:
        return images
    # A grey photograph is a picture like any other, and no negative is to be made of it.
    return np.broadcast_to(images, (len(images), 3, *images.shape[2:]))


def is_ink(pixels: NDArray[np.uint8]) -> bool:
    """Whether an image is white ink on black, (H, W) or (1, H, W), and not a colour picture."""
    return pixels.ndim == 2 or len(pixels) == 1


def data_uri(pixels: NDArray[np.uint8], *, side: int = 96) -> str:
    """Data URI of one image (H, W), (1, H, W) or (3, H, W), at most ``side`` pixels large."""
    if is_ink(pixels):
        image, kind = Image.fromarray(255 - pixels.reshape(pixels.shape[-2:])), "png"
    else:
        image, kind = Image.fromarray(np.ascontiguousarray(np.moveaxis(pixels, 0, -1))), "webp"
    image.thumbnail((side, side))
    buffer = io.BytesIO()
    image.save(buffer, format=kind, lossless=True)
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode()


@lru_cache(maxsize=1024)
def class_chip(dataset: str, has_images: bool, label: int) -> str:
    """The first test image of a class and its name; the name alone where there are no images."""
    name = DATASETS[dataset].class_names[label]
    if not has_images:
        return name
    try:
        labels = read_part(dataset, "test")[1]
    except DamagedData:
        # Choosing must go on without pictures; pages that need them will say what is wrong.
        return name
    first = sample_images(dataset)[int(np.flatnonzero(labels == label)[0])]
    return f"![]({data_uri(first, side=32)}) {name}"


def strip(
    images: Sequence[NDArray[np.uint8]], captions: Sequence[str], *, size: int = 48, alt: str
) -> None:
    """A row of images that wraps, each with a short caption below; nothing if there are none.

    Their shapes are those of :func:`data_uri`.
    """
    if not images:
        return
    cells = "".join(
        f'<figure style="margin:0;text-align:center">'
        f'<img class="{"digit" if is_ink(image) else "picture"}" '
        f'src="{data_uri(image, side=2 * size)}" width="{size}" height="{size}" alt="" '
        f'style="image-rendering:pixelated;border-radius:4px;border:1px solid #8886">'
        f'<figcaption style="font-size:14px">{escape(caption)}</figcaption></figure>'
        for image, caption in zip(images, captions, strict=True)
    )
    st.html(
        f'<div role="img" aria-label="{escape(alt)}" '
        f'style="display:flex;flex-wrap:wrap;gap:8px">{cells}</div>'
    )
