"""Reverse accumulation to be stepped through: an HTML player of one drawing per step, by matplotlib's own HTML writer."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import HTMLWriter
from matplotlib.axes import Axes

from ..archive import write_text
from ..errors import BadInput
from ..lcg import LCG, waiting
from ..lcg.text import weight_text
from .graph import Look, Sketch
from .outside import verbatim
from .palette import GREEN, ORANGE, YELLOW

SIGNS = {
    "minus": "−",
    "fast-backward": "|◂",
    "step-backward": "◂",
    "play fa-flip-horizontal": "◀",
    "pause": "||",
    "play": "▶",
    "step-forward": "▸",
    "fast-forward": "▸|",
    "plus": "+",
}
"""What stands on matplotlib's buttons in place of an icon font that it would fetch from the network."""


class Player:
    """Frames that can be stepped through; made by :func:`step_through`.

    It shows itself at the end of a notebook cell. ``html()``: the player as HTML that asks the network for nothing.
    ``save(file)``: the same as a page of its own. ``draw(i, ax)``: one frame. ``len(player)``: the number of frames.
    """

    def __init__(self, lcg: LCG) -> None:
        self.sketch = Sketch.of(lcg)
        self.steps = lcg.reverse_steps()
        self._number = {part.name: i for i, part in enumerate(self.sketch.parts)}

    def __len__(self) -> int:
        return len(self.steps) + 1

    def __repr__(self) -> str:
        return f"<Player of {len(self)} frames; show it in a notebook, or save(file)>"

    def draw(self, i: int, ax: Axes | None = None) -> Axes:
        """Draw frame i, from 0 (before anything is known) to ``len(player) - 1``. Returns the Axes."""
        self._check(i)
        ax = self.sketch.axes() if ax is None else ax
        ax.clear()
        done = self.steps[:i]
        looks = dict.fromkeys(self._number.values(), Look("white"))  # shapes tell the kinds, colours who is done
        looks |= {self._number[s.node]: Look(GREEN, note=weight_text(s.adjoint)) for s in done}
        looks |= {self._number[name]: _waiting(pending) for name, pending in waiting(done).items()}
        sent: set[int] = set()
        if done:
            now = done[-1]
            looks[self._number[now.node]] = Look(YELLOW, bold=True, note=weight_text(now.adjoint))
            at = self.sketch.lcg.names.index(now.node)
            sent = {e for e, head in enumerate(self.sketch.lcg.structure.head) if head == at}
        elif self.steps:
            looks[self._number[self.steps[0].node]] = Look("white", note="starts with 1")
        self.sketch.draw(ax, bold=sent, looks=looks)
        ax.set_title(
            "\n".join(verbatim(line, 240) for line in self.caption(i).splitlines()), fontsize="medium", wrap=True
        )
        return ax

    def caption(self, i: int) -> str:
        """What happens in frame i, in a line or two."""
        self._check(i)
        if not self.steps:
            return "The output depends on no parameter: there is nothing to sweep."
        if i == 0:
            return "Before: no adjoint is known. The sweep starts at the output."
        step = self.steps[i - 1]
        waits = [
            f"{name} waits for {p.readers - p.arrived} of {p.readers}"
            for name, p in waiting(self.steps[:i]).items()
            if p.arrived < p.readers
        ]
        where = f"step {i} of {len(self.steps)}: {step.told}"
        goes = f"it goes to {', '.join(step.sends)}" if step.sends else "it has nobody to tell: a parameter is done"
        return f"{where}\n" + "; ".join([goes, *waits[:4]]) + ("; ..." if len(waits) > 4 else "")

    def _check(self, i: int) -> None:
        if isinstance(i, bool) or not isinstance(i, (int, np.integer)) or not 0 <= i < len(self):
            raise BadInput(f"The player has {len(self)} frames, numbered from 0; there is no frame {i!r:.40}.")

    def html(self) -> str:
        """The player as HTML: one picture a frame, buttons and a slider, nothing from the network. 0.1 to 0.4 s a frame."""
        width, height = self.sketch.size
        width, height = (
            min(max(width, 7.0), 20.0),
            min(height, 12.0),
        )  # a wider picture would be scaled down by the page
        figure, ax = plt.subplots(figsize=(width, height + 0.9))
        figure.set_layout_engine("none")  # whatever rcParams say: the frames must not move
        figure.subplots_adjust(left=0.01, right=0.99, bottom=0.02, top=1 - 0.8 / (height + 0.9))
        writer = HTMLWriter(fps=1, embed_frames=True, default_mode="once")
        try:
            with (
                tempfile.TemporaryDirectory() as folder,
                mpl.rc_context({"animation.embed_limit": 2.0**10, "savefig.bbox": None}),
            ):
                with writer.saving(figure, str(Path(folder, "player.html")), dpi=100):
                    for i in range(len(self)):
                        self.draw(i, ax)
                        writer.grab_frame()  # type: ignore[no-untyped-call]
                page = Path(folder, "player.html").read_text(encoding="utf-8")
        finally:
            plt.close(figure)
        return _self_contained(page)

    def save(self, file: str | Path) -> Path:
        """Write the player as a page that opens in any browser, whole or not at all. Raises OSError as ``open`` does."""
        file = Path(file)
        write_text(file, PAGE.format(title="Reverse accumulation", body=self.html()))
        return file

    def _repr_html_(self) -> str:
        return self.html()


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #222; }}
pre {{ background: #f4f4f4; padding: 0.8em; overflow-x: auto; line-height: 1.35; }}
img {{ max-width: 100%; }}
button {{ font-size: 1.1em; min-width: 2.2em; }}
</style></head>
<body>
{body}
</body></html>
"""


def step_through(lcg: LCG) -> Player:
    """Reverse accumulation as a player: one node at a time, who is done, who waits for whom, and what has arrived.

    Green nodes are done, with their adjoint above; the yellow one is done in this step, and sends along the thick edges
    what its inputs wait for; orange ones have heard from some of their readers: the partial sum, and of how many. The
    player shows itself in a notebook; ``save("player.html")`` writes a page. Raises BadInput for more than 60 nodes,
    NotScalar where there is no one gradient. Cost: a drawing per node.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> player = plot.step_through(ts.trace(lambda x: x * x, 3.0))
    >>> print(player.caption(len(player) - 1))
    step 4 of 4: x has heard from all its branches (x1, x2): 3 + 3 = 6
    it has nobody to tell: a parameter is done
    """
    if not isinstance(lcg, LCG):
        raise BadInput(f"plot.step_through takes what trace(f, ...) returns, not {lcg!r:.60}.")
    return Player(lcg)


def _waiting(pending: Any) -> Look:
    if pending.arrived == pending.readers:
        return Look("white", note=f"{weight_text(pending.sum)}, ready")
    return Look(ORANGE, note=f"{weight_text(pending.sum)} + … ({pending.arrived} of {pending.readers})")


def _self_contained(page: str) -> str:
    """matplotlib's page without the icon font that it would fetch from the network, and with a text for its picture."""
    page = re.sub(r'<link rel="stylesheet"\s+href="https?://[^"]*">\s*', "", page)
    page = re.sub(r'<i class="fa fa-([a-z -]+)"></i>', lambda found: SIGNS[found[1]], page)
    page = page.replace('<img id="', '<img alt="One step of reverse accumulation" id="')
    return page.replace('<script language="javascript">', "<script>")
