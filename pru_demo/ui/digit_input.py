"""Three ways to hand over a digit: draw it, upload it, pick one of the test set."""

import numpy as np
import streamlit as st

from pru_demo.data.samples import mnist_test
from pru_demo.digits import Digit, DigitError, digit_from_drawing, digit_from_upload
from pru_demo.ui.components.draw_pad import draw_pad
from pru_demo.ui.images import data_uri


def chosen_digit() -> Digit | None:
    """The digit that the visitor gives, or None; what is wrong with it is said in one sentence."""
    way = st.segmented_control(
        "How",
        ["Draw", "Upload", "Pick"],
        default="Draw",
        required=True,
        key="way",
        label_visibility="collapsed",
    )
    try:
        if way == "Draw":
            drawing = draw_pad("pad", label="Draw a digit")
            return None if drawing is None else digit_from_drawing(drawing)
        if way == "Upload":
            file = st.file_uploader(
                "A photo or picture of one digit",
                ["png", "jpg", "jpeg", "webp"],
                max_upload_size=5,
                key="upload",
            )
            return None if file is None else digit_from_upload(file.getvalue())
        return _picked()
    except DigitError as problem:
        st.warning(str(problem), icon=":material/image_not_supported:")
        return None


def _picked() -> Digit:
    images, labels = mnist_test()
    label = st.segmented_control(
        "Class",
        range(10),
        default=9,
        required=True,
        format_func=lambda c: f"![]({data_uri(images[np.flatnonzero(labels == c)[0]])}) {c}",
        key="pick.class",
    )
    members = np.flatnonzero(labels == label)
    number = st.slider("Number in the test set", 1, len(members), 1, key="pick.number")
    return Digit(images[members[number - 1]], "sample")
