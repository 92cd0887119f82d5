"""Pictures of all pages for the README: ``python benchmarks/take_screenshots.py [--output DIR]``.

Needs Chromium, playwright and the bundled records. Writes PNGs of at most 256 colours.
"""

import io
from typing import Any

from browser import (
    CHART,
    DESK,
    IDLE,
    PAGES,
    ROOT,
    chosen_output,
    chromium,
    draw_a_nine,
    new_page,
    served,
    visit,
)
from PIL import Image

FOLDER = ROOT / "assets" / "screenshots"
MOST_BYTES = 150_000
PHONE = {"width": 390, "height": 844}
# File name → page, window, colour scheme.
SHOTS = {
    **{name: (name, DESK, "light") for name in PAGES},
    "start-dark": ("start", DESK, "dark"),
    "perception-dark": ("perception", DESK, "dark"),
    "relearning-dark": ("relearning", DESK, "dark"),
    "relearning-phone": ("relearning", PHONE, "light"),
    "relearning-phone-dark": ("relearning", PHONE, "dark"),
}


def main() -> None:
    """Take and write all pictures; raises SystemExit without bundled records."""
    folder = chosen_output(__doc__, FOLDER)
    if not (ROOT / "assets" / "records" / "manifest.json").exists():
        raise SystemExit("There is nothing to show yet; run: python -m pru_demo precompute")
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, served() as address:
        for name, shot in SHOTS.items():
            data = small(take(browser, address, *shot))
            (folder / f"{name}.png").write_bytes(data)
            print(f"{name}.png: {len(data) / 1000:.0f} kB")


def take(browser: Any, address: str, name: str, window: dict[str, int], scheme: str) -> bytes:
    """PNG of a page as it opens; on Try it something is drawn first."""
    with new_page(browser, viewport=window, color_scheme=scheme) as page:
        visit(page, address, name)
        if name == "try_it":
            page.wait_for_timeout(1000)
            draw_a_nine(page)
            page.locator(CHART).first.wait_for()
        page.wait_for_selector(IDLE)
        page.mouse.move(0, 0)
        page.wait_for_timeout(2000)  # figures settle after they are drawn
        picture: bytes = page.screenshot()
    return picture


def small(picture: bytes) -> bytes:
    """The same with as many colours as fit into ``MOST_BYTES``."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    data = b""
    for colors in (256, 128, 64, 32):
        buffer = io.BytesIO()
        image.quantize(colors, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        data = buffer.getvalue()
        if len(data) < MOST_BYTES:
            break
    return data


if __name__ == "__main__":
    main()
