"""One step of reverse accumulation as a picture: who is done, who tells now, who waits for whom."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from ..lcg import LCG, waiting
from ..lcg.text import weight_text
from .graph import Look, Sketch
from .outside import verbatim
from .palette import GREEN, ORANGE, YELLOW


def reverse_step(lcg: LCG, i: int, ax: Axes | None = None) -> Axes:
    """Draw the graph after ``i`` steps of ``lcg.reverse_steps()``; ``plot.step_through`` has a page of all of them.

    Green nodes are done, with their adjoint above; the yellow one is done in this step, and sends along the thick edges
    what its inputs wait for; orange ones have heard from some of their readers: the partial sum, and of how many.
    """
    sketch, steps = Sketch.of(lcg), lcg.reverse_steps()
    number = {part.name: i for i, part in enumerate(sketch.parts)}
    ax = sketch.axes() if ax is None else ax
    done = steps[:i]
    looks = dict.fromkeys(number.values(), Look("white"))  # shapes tell the kinds, colours who is done
    looks |= {number[s.node]: Look(GREEN, note=weight_text(s.adjoint)) for s in done}
    looks |= {number[name]: _waiting(pending) for name, pending in waiting(done).items()}
    now = done[-1]
    looks[number[now.node]] = Look(YELLOW, bold=True, note=weight_text(now.adjoint))
    at = lcg.names.index(now.node)
    sketch.draw(ax, bold={e for e, head in enumerate(lcg.structure.head) if head == at}, looks=looks)
    ax.set_title("\n".join(verbatim(line, 240) for line in _caption(lcg, i)), fontsize="medium", wrap=True)
    return ax


def _caption(lcg: LCG, i: int) -> list[str]:
    steps = lcg.reverse_steps()
    step = steps[i - 1]
    waits = [
        f"{name} waits for {p.readers - p.arrived} of {p.readers}"
        for name, p in waiting(steps[:i]).items()
        if p.arrived < p.readers
    ]
    goes = f"it goes to {', '.join(step.sends)}" if step.sends else "it has nobody to tell: a parameter is done"
    return [f"step {i} of {len(steps)}: {step.told}", "; ".join([goes, *waits[:4]])]


def _waiting(pending: Any) -> Look:
    if pending.arrived == pending.readers:
        return Look("white", note=f"{weight_text(pending.sum)}, ready")
    return Look(ORANGE, note=f"{weight_text(pending.sum)} + … ({pending.arrived} of {pending.readers})")
