"""Draws the extension's icons: a picture whose right half is broken up, as generated ones are, in fauxto's two colours.

python extension/icons/draw.py
"""

from pathlib import Path

from PIL import Image, ImageDraw

from fauxto.palette import FILL
from fauxto.report import Verdict

_SIDE = 512
_STEP = 64


def icon() -> Image.Image:
    """Return the icon, 512 pixels wide and high."""
    picture = Image.new("RGBA", (_SIDE, _SIDE))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((16, 16, _SIDE - 16, _SIDE - 16), 96, fill=FILL[Verdict.REAL])
    for top in range(64, _SIDE - 64, _STEP):
        for left in range(_SIDE // 2, _SIDE - 64, _STEP):
            if (top + left) // _STEP % 2 == 0:
                draw.rectangle((left, top, left + _STEP - 1, top + _STEP - 1), fill=FILL[Verdict.AI])
    draw.ellipse((112, 112, 208, 208), fill="white")
    draw.polygon([(80, 416), (208, 256), (_SIDE // 2, 320), (_SIDE // 2, 416)], fill="white")
    return picture


for side in (16, 32, 48, 128):
    icon().resize((side, side), Image.Resampling.LANCZOS).save(Path(__file__).with_name(f"{side}.png"), optimize=True)
