"""The probability on a scale from photograph to generated, with the inconclusive band, as a little HTML."""

from __future__ import annotations

from fauxto import palette
from fauxto.export.case_file import Scale
from fauxto.report import Verdict
from fauxto.web.language import _

_TRACK = "position:relative;height:0.75rem;border-radius:0.4rem;overflow:hidden"
_PARTS = (
    "display:flex;justify-content:space-between;gap:0.5rem;font-size:0.8rem;line-height:1.3;opacity:0.8;"
    "margin-top:0.35rem"
)
_HATCH = f"repeating-linear-gradient(45deg,{palette.NEUTRAL}88 0 3px,transparent 3px 7px)"


def scale_html(scale: Scale) -> str:
    """Return HTML that is made of numbers and our own words only; nothing from the picture's file enters it."""
    void = f"{palette.NEUTRAL}66"
    real_part = palette.FILL[Verdict.REAL] if scale.counts else void
    ai_part = palette.FILL[Verdict.AI] if scale.counts else void
    real_below, ai_above = f"{scale.real_below:.2%}", f"{scale.ai_above:.2%}"
    band = (
        f"linear-gradient(to right,{real_part} {real_below},transparent {real_below} {ai_above},{ai_part} {ai_above})"
    )
    # The marker is 4 px wide and stays on the track at both ends.
    marker = (
        f"position:absolute;left:clamp(0px,calc({scale.probability:.2%} - 2px),calc(100% - 4px));"
        "top:-0.3rem;width:4px;height:1.35rem;border-radius:2px;background:currentColor"
    )
    parts = "".join(
        f'<span style="text-align:{align}">{_(name)}<br>{_(where)}</span>'
        for (name, where), align in zip(scale.parts, ("left", "center", "right"), strict=True)
    )
    return (
        f'<div role="img" aria-label="{_(scale.words)}" style="padding-top:0.4rem">'
        f'<div style="position:relative"><div style="{_TRACK};background:{band},{_HATCH}"></div>'
        f'<div style="{marker}"></div></div>'
        f'<div style="{_PARTS}">{parts}</div></div>'
    )
