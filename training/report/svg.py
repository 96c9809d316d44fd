"""Pictures as SVG text that takes its colours and its font from the page around it."""

import io
import re
import warnings
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Stand-ins that no picture needs; the page decides what they are in daylight and in the dark.
INK, MUTED, LINE, ACCENT = "#010203", "#010204", "#010205", "#010206"
SERIES = tuple(f"#0102{number:02x}" for number in range(16, 26))
_VARIABLES = {INK: "currentColor", MUTED: "var(--muted)", LINE: "var(--line)", ACCENT: "var(--accent)"} | {
    colour: f"var(--series-{number})" for number, colour in enumerate(SERIES)
}
POINTS_PER_INCH = 72
# On a wide screen a picture may grow, on a narrow one shrink by this much; below that it is scrolled.
MAX_SCALE, MIN_SCALE = 1.35, 0.85

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "whichlist",
    "text.parse_math": False,
    "font.size": 10.5,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def render(draw: Callable[["Figure"], None], alt: str, *, width_in: float, height_in: float) -> str:
    """Return a picture as an SVG element whose text alternative is ``alt``."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    written = io.StringIO()
    with rc_context(_STYLE), warnings.catch_warnings():
        # Names in scripts that this font lacks are drawn by the browser, which has others.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=(width_in, height_in), dpi=POINTS_PER_INCH)
        draw(figure)
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    return _fit_into_page(written.getvalue(), alt, width_px=width_in * POINTS_PER_INCH)


def stand_alone(svg: str, colours: str) -> str:
    """Return a picture as the text of a file of its own; ``colours`` is the style sheet that defines them."""
    head, _, body = svg.partition(">")
    look = "svg { background: var(--paper); color: var(--ink); }"
    return f'{head} xmlns="http://www.w3.org/2000/svg"><style>{colours}{look}</style>{body}\n'


def entitle(svg: str, group: str, titles: Sequence[str]) -> str:
    """Give the marks of a group, in their order, the titles that a browser shows when they are pointed at."""
    start = svg.find(f'<g id="{group}">')
    if start < 0:
        return svg
    end = svg.find('<g id="', start + 1)
    waiting = iter(titles)

    def name(mark: re.Match[str]) -> str:
        return f"<{mark[1]} {mark[2]}><title>{escape(next(waiting, ''))}</title></{mark[1]}>"

    # One mark is written as a path of its own, many as uses of a path that has an id.
    return svg[:start] + re.sub(r"<(use|path) (?!id=)([^>]*?)/>", name, svg[start:end]) + svg[end:]


def _fit_into_page(svg: str, alt: str, *, width_px: float) -> str:
    """Take off what a file of its own needs, and hand colours, font and size over to the page."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>|<style .*?</style>", "", svg, flags=re.DOTALL)
    head, _, body = svg.partition(">")
    view = re.search(r'viewBox="[^"]*"', head)
    if view is None:
        raise ValueError(f"matplotlib wrote an SVG without a viewBox: {head[:200]}")
    body = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font: \1 sans-serif", body).replace("xlink:href", "href")
    for stand_in, variable in _VARIABLES.items():
        body = body.replace(stand_in, variable)
    style = f"min-width: {MIN_SCALE * width_px:.0f}px; max-width: {MAX_SCALE * width_px:.0f}px"
    return f'<svg {view[0]} style="{style}" role="img" aria-label="{escape(alt)}">{body}'
