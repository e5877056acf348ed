"""The probability on a scale from photograph to generated, with the inconclusive band, as a little HTML."""

from __future__ import annotations

from fauxto.wording import percent

_TRACK = "position:relative;height:0.75rem;border-radius:0.4rem;overflow:hidden"
_ENDS = "display:flex;justify-content:space-between;font-size:0.8rem;opacity:0.75;margin-top:0.35rem"
_LABELS = "<span>photograph</span><span>can't tell</span><span>generated</span>"
_HATCH = "repeating-linear-gradient(45deg,#8888 0 3px,transparent 3px 7px)"


def scale_html(probability: float, real_below: float, ai_above: float, *, counts: bool) -> str:
    """Return HTML that is made of numbers and our own words only; nothing from the picture's file enters it.

    Args:
        probability: P(AI) in [0, 1]: where the marker stands.
        real_below: Upper end of the photograph's part, in [0, 1].
        ai_above: Lower end of the generated part, in [0, 1].
        counts: False greys the scale out, for a reading that isn't a finding.
    """
    real_part, ai_part = (("#3b82f6", "#f97316")) if counts else ("#8886", "#8886")
    band = (
        f"linear-gradient(to right,{real_part} {real_below:.2%},transparent {real_below:.2%} {ai_above:.2%},"
        f"{ai_part} {ai_above:.2%})"
    )
    # The marker is 4 px wide and stays on the track at both ends.
    marker = (
        f"position:absolute;left:clamp(0px,calc({probability:.2%} - 2px),calc(100% - 4px));"
        "top:-0.3rem;width:4px;height:1.35rem;border-radius:2px;background:currentColor"
    )
    label = f"{percent(probability)} on a scale from photograph (0 %) to generated (100 %)"
    return (
        f'<div role="img" aria-label="{label}" style="padding-top:0.4rem">'
        f'<div style="position:relative"><div style="{_TRACK};background:{band},{_HATCH}"></div>'
        f'<div style="{marker}"></div></div>'
        f'<div style="{_ENDS}">{_LABELS}</div></div>'
    )
