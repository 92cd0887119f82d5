"""A drawn or photographed digit, brought into the form in which MNIST was made; and other pictures.

LeCun et al. (1998): the ink is scaled, keeping its proportions, to fit 20×20 pixels (which makes
grey edges) and is placed in 28×28 so that its centre of mass is in the middle. A network trained
on MNIST has never seen a digit in any other place or size.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

from pru_demo.data.uploads import PictureError, open_picture

SIDE = 28
INK_BOX = 20
# In every MNIST image the centre of mass, rounded, is this pixel index on both axes.
CENTRE = 14

GreyImage: TypeAlias = npt.NDArray[np.uint8]
Source: TypeAlias = Literal["drawn", "uploaded", "sample"]

# Fainter than this (of 255) a pixel is the fringe of a line, not a part of its box.
_FAINTEST_INK = 16
# A picture whose ink differs less from its paper is one colour to the eye.
_LEAST_CONTRAST = 24.0


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit as the network sees it: ``pixels`` (28, 28) uint8, white ink (255) on black.

    Images of data sets that hold no digits are (H, W) grey or (3, H, W) colour.
    """

    pixels: GreyImage
    source: Source


def digit_from_drawing(grey: GreyImage) -> Digit:
    """Centre and scale a drawing, (H, W) uint8, 0 = paper, 255 = ink.

    Raises PictureError when nothing is drawn.
    """
    return Digit(_centred(grey, "The drawing is empty: draw a digit first."), "drawn")


def digit_from_upload(data: bytes) -> Digit:
    """Read an untrusted picture file, find its ink, and centre and scale that.

    Raises PictureError when the file is refused (see ``open_picture``) or shows a single colour.
    """
    picture = open_picture(data)
    empty = "The picture is all one colour: upload a digit that stands out from its paper."
    return Digit(_centred(_ink_of(picture, empty), empty), "uploaded")


def image_from_upload(data: bytes, side: int, *, colour: bool, white_ink: bool) -> Digit:
    """Read an untrusted picture file of anything: its middle square, ``side`` pixels large.

    ``white_ink``: the data set shows its things bright on black, so paper that is bright at the
    edges is turned into its negative. Raises PictureError when the file is refused.
    """
    small = ImageOps.fit(open_picture(data, colour=colour), (side, side), Image.Resampling.BOX)
    pixels = np.asarray(small)
    if white_ink:
        edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        pixels = 255 - pixels if np.median(edges) > 127 else pixels
    return Digit(np.moveaxis(pixels, -1, 0) if colour else pixels, "uploaded")


def _centred(ink: GreyImage, if_empty: str) -> GreyImage:
    """Scale the ink's bounding box into 20×20 and put its centre of mass in the middle."""
    rows = np.flatnonzero((ink >= _FAINTEST_INK).any(axis=1))
    columns = np.flatnonzero((ink >= _FAINTEST_INK).any(axis=0))
    if not rows.size:
        raise PictureError(if_empty)
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = INK_BOX / max(box.shape)
    height, width = (max(1, round(side * scale)) for side in box.shape)
    small = np.asarray(Image.fromarray(box).resize((width, height), Image.Resampling.BICUBIC))

    # A wide box may hang over the edge once centred, so it lands on a sheet with a margin.
    sheet = np.zeros((SIDE + 2 * INK_BOX, SIDE + 2 * INK_BOX), np.uint8)
    top = INK_BOX + CENTRE - _centre_of_mass(small.sum(axis=1))
    left = INK_BOX + CENTRE - _centre_of_mass(small.sum(axis=0))
    sheet[top : top + height, left : left + width] = small
    return sheet[INK_BOX : INK_BOX + SIDE, INK_BOX : INK_BOX + SIDE].copy()


def _centre_of_mass(mass: npt.NDArray[np.integer]) -> int:
    """Rounded index, half up as in MNIST, of the centre of the mass along one axis."""
    return int(np.floor(np.average(np.arange(mass.size), weights=mass) + 0.5))


def _ink_of(picture: Image.Image, if_blank: str) -> GreyImage:
    """White ink on black, whichever of the two was darker and however uneven the light was."""
    difference = _without_paper(picture)
    level = float(np.quantile(difference, 0.998))
    if level < _LEAST_CONTRAST:
        raise PictureError(if_blank)
    threshold = _otsu(difference, level)
    strong = difference > threshold
    ink_level = max(float(np.quantile(difference[strong], 0.75)), threshold + 1)
    noise = 3 * float(np.median(difference[~strong])) if (~strong).any() else 0.0
    stretched = np.clip((difference - noise) / (ink_level - min(noise, threshold)), 0, 1)

    # Grey belongs to the ink only where it touches it: stains and grain elsewhere are paper.
    reach = 2 * (max(picture.size) // 64) + 3
    near = Image.fromarray(strong.astype(np.uint8) * 255)
    if reach > 3:
        near = near.filter(ImageFilter.MedianFilter(3))
    near = near.filter(ImageFilter.MaxFilter(reach))
    return np.where(np.asarray(near) > 0, np.round(stretched * 255), 0).astype(np.uint8)


def _without_paper(picture: Image.Image) -> npt.NDArray[np.float32]:
    """How far each pixel stands out from the paper around it, (H, W) >= 0, in grey levels.

    The paper is a wide median, which lines of ink are too thin to bend; whether ink is darker or
    brighter than paper is decided by which side of the paper holds more contrast.
    """
    small = picture.copy()
    small.thumbnail((48, 48), Image.Resampling.BOX)
    window = 2 * (max(small.size) // 2) + 1
    paper = small.filter(ImageFilter.MedianFilter(window))
    paper = paper.filter(ImageFilter.BoxBlur(window / 4)).resize(picture.size)
    signed = np.asarray(picture, np.float32) - np.asarray(paper, np.float32)
    brighter, darker = np.maximum(signed, 0), np.maximum(-signed, 0)
    return brighter if (brighter**2).sum() > (darker**2).sum() else darker


def _otsu(difference: npt.NDArray[np.float32], top: float) -> float:
    """The threshold that separates two groups of grey levels best (Otsu, 1979)."""
    counts, edges = np.histogram(difference, bins=64, range=(0.0, top))
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sum_below = np.cumsum(counts * middles)
    mean_below = sum_below / np.maximum(below, 1)
    mean_above = (sum_below[-1] - sum_below) / np.maximum(above, 1)
    return float(edges[1:][np.argmax(below * above * (mean_below - mean_above) ** 2)])
