"""Three ways to hand over an image: draw it, upload it, pick one of the test set.

Only digits can be drawn.
"""

from functools import partial

import numpy as np
import streamlit as st

from pru_demo.data import DATASETS, DatasetSpec, read_part
from pru_demo.data.digits import Digit, digit_from_drawing, digit_from_upload, image_from_upload
from pru_demo.data.uploads import PictureError
from pru_demo.ui.components.draw_pad import draw_pad
from pru_demo.ui.shared.images import class_chip


def chosen_digit(dataset: str) -> Digit | None:
    """The digit that the visitor gives, or None; what is wrong with it is said in one sentence.

    ``pixels`` of an image that is no digit are (H, W) grey or (3, H, W) colour.
    """
    data = DATASETS[dataset]
    way = st.segmented_control(
        "How",
        ["Draw", "Upload", "Pick"] if data.drawable else ["Upload", "Pick"],
        default="Draw" if data.drawable else "Pick",
        required=True,
        # What was chosen for digits may not be on offer for others.
        key="way" if data.drawable else "way.undrawn",
        label_visibility="collapsed",
    )
    try:
        if way == "Draw":
            drawing = draw_pad("pad", label="Draw a digit")
            return None if drawing is None else digit_from_drawing(drawing)
        if way == "Upload":
            file = st.file_uploader(
                f"A photo or picture of one {'digit' if data.drawable else 'thing, in the middle'}",
                ["png", "jpg", "jpeg", "webp"],
                max_upload_size=5,
                key="upload",
            )
            return None if file is None else _read(file.getvalue(), data)
        return _picked(dataset)
    except PictureError as problem:
        st.warning(str(problem), icon=":material/image_not_supported:")
        return None


def _read(upload: bytes, data: DatasetSpec) -> Digit:
    if data.drawable:
        return digit_from_upload(upload)
    return image_from_upload(
        upload, data.image_size, colour=data.channels == 3, white_ink=data.white_ink
    )


def _picked(dataset: str) -> Digit:
    images, labels = read_part(dataset, "test")
    classes = len(DATASETS[dataset].class_names)
    label = st.segmented_control(
        "Class",
        range(classes),
        default=min(9, classes - 1),
        required=True,
        format_func=partial(class_chip, dataset, True),
        key="pick.class",
    )
    members = np.flatnonzero(labels == label)
    number = st.slider("Number in the test set", 1, len(members), 1, key="pick.number")
    image = images[members[number - 1]]
    return Digit(image[0] if len(image) == 1 else image, "sample")
