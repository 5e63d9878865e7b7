"""Functions of two variables: contours, the field that each path pulls in, and the ways that runs take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ..arguments import integer, spaced
from ..errors import BadInput
from ..lcg import LCG
from ..optimize import Result
from .outside import FEW, UPRIGHT, verbatim
from .palette import BLACK, TERMS, ink
from .panels import own_axes
from .panels import panels as panels_of

ARROWS = 13
"""The most arrows along a side."""

MOST_PANELS = 16

GREYS = ListedColormap(np.linspace(0.62, 1.0, 256)[:, None] * np.ones(3))
"""Values of the function: light enough for what is drawn on them."""

MOST_LEVELS = 12


def shades(paper: Any) -> ListedColormap:
    """Sizes of arrows: without the end that could not be seen on this paper."""
    dark = sum(mpl.colors.to_rgb(paper)) < 1.5
    return ListedColormap(mpl.colormaps["cividis" if dark else "cividis_r"](np.linspace(0.3, 1.0, 256)))


def contours(lcg: LCG, *, ax: Axes | None = None, levels: int = MOST_LEVELS, fill: bool = True) -> Axes:
    """The contour map of a function of two variables.

    ``lcg``: ``trace(f, *np.meshgrid(xs, ys))``. ``levels``: about how many; they are the quantiles of the values, so that
    every shade covers as much of the map, rounded to numbers that one would say: 1, 2, 5, 10, 20. ``fill``: shades and a
    colour bar, or lines alone. Raises BadInput for any other trace.

    >>> import numpy as np, tinyspad as ts
    >>> from tinyspad import plot
    >>> ax = plot.contours(ts.trace(ts.functions.beale, *np.meshgrid(np.linspace(-4, 4, 40), np.linspace(-4, 4, 40))))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('x', 'y')
    """
    xs, ys, z = _grid(lcg, "contours")
    integer(levels, "plot.contours: levels=", least=2)
    ax = own_axes(ax)
    image = _shade(ax, xs, ys, z, levels, fill)
    if fill and image is not None:
        bar = ax.figure.colorbar(
            image, ax=ax, label=verbatim(f"f({', '.join(lcg.params)})", UPRIGHT), spacing="uniform"
        )
        bar.set_ticks(list(image.levels), labels=[_said(value) for value in image.levels])
    _frame(ax, lcg, xs, ys)
    return ax


def _shade(ax: Axes, xs: Any, ys: Any, z: Any, levels: int = MOST_LEVELS, fill: bool = True) -> Any:
    edges = round_levels(z, levels)
    if len(edges) < 2:  # (nearly) constant: nothing to draw a line around
        return None
    image = None
    if fill:
        norm = BoundaryNorm(edges, 256, extend="both")
        image = ax.contourf(xs, ys, z, levels=edges, norm=norm, cmap=GREYS, extend="both")
    ax.contour(xs, ys, z, levels=edges, colors=BLACK if fill else ink(), linewidths=0.4, alpha=0.45)
    return image


def round_levels(z: Any, levels: int) -> list[float]:
    """About so many levels less one, at the quantiles, of 1, 2 and 5 times powers of ten; if these are few, of few digits.

    >>> round_levels(np.geomspace(0.5, 3000, 99), 6), round_levels(np.linspace(100, 101, 99), 6)
    ([2.0, 10.0, 50.0, 200.0, 500.0], [100.2, 100.3, 100.5, 100.7, 100.8])
    """
    finite = z[np.isfinite(z)]
    wanted = np.unique(np.quantile(finite, np.linspace(0, 1, levels + 1)))
    if len(wanted) < 3:
        return []
    gaps = np.diff(wanted)
    room = np.minimum(gaps[:-1], gaps[1:])
    inner = wanted[1:-1]
    least, most = float(finite.min()), float(finite.max())
    plain = sorted({_rounded(float(q), abs(float(q))) for q in inner if q})
    plain = [value for value in plain if least < value < most]
    if len(plain) > 0.6 * len(inner):
        return plain
    fine = sorted({float(f"{_rounded(float(q), float(gap)):.12g}") for q, gap in zip(inner, room)})
    return [value for value in fine if least < value < most]


def _rounded(value: float, size: float) -> float:
    """To a multiple of the largest of 1, 2, 5 times a power of ten up to ``size``; if that is its own, to the nearest."""
    ten = 10.0 ** np.floor(np.log10(size))
    if size == abs(value):
        nearest = min((k * ten for k in (1, 2, 5, 10)), key=lambda n: abs(np.log(n / size)))
        return float(f"{np.copysign(nearest, value):.12g}")
    unit = max(k * ten for k in (1, 2, 5) if k * ten <= size * (1 + 1e-9))
    return float(round(value / unit) * unit)


def _said(value: float) -> str:
    """100 000 rather than 1e+05."""
    return spaced(int(value)) if value == int(value) and abs(value) < 1e7 else f"{value:.12g}"


def _frame(ax: Axes, lcg: LCG, xs: Any, ys: Any) -> None:
    ax.set_xlabel(verbatim(lcg.params[0], FEW))
    ax.set_ylabel(verbatim(lcg.params[1], FEW))
    ax.set_xlim(xs[0], xs[-1])
    ax.set_ylim(ys[0], ys[-1])


def fields(lcg: LCG, *, axes: Sequence[Axes] | None = None, limit: int = MOST_PANELS - 1) -> Figure:
    """What each path pulls to: the steepest descent of the whole gradient, then that of every path alone, as arrows.

    A panel each, over contour lines. A path of x moves x alone, so its arrows are level; those of y are upright. Colour
    and length of an arrow tell the logarithm of its size, over three powers of ten, on one scale for all panels. ``lcg``:
    ``trace(f, *np.meshgrid(xs, ys))``. ``axes``: as many Axes as there are paths, and one more. Raises BadInput for
    another trace or number of Axes, TooManyPaths past ``limit``.

    >>> import numpy as np, tinyspad as ts
    >>> from tinyspad import plot
    >>> plane = np.meshgrid(np.linspace(-2, 2, 20), np.linspace(-2, 2, 20))
    >>> figure = plot.fields(ts.trace(ts.functions.f2, *plane))
    >>> [ax.get_title() for ax in figure.axes][:3]
    ['all paths: the exact gradient', 'path 0 of x', 'path 1 of x']
    """
    xs, ys, z = _grid(lcg, "fields")
    terms = [(name, i, g) for name in lcg.params for i, g in enumerate(lcg.path_gradients(name, limit=limit))]
    number, columns = len(terms) + 1, min(len(terms) + 1, 4)
    size_of = (2.9 * columns + 0.4, 2.7 * -(-number // columns) + 0.2)
    panels, own = panels_of(axes, number, columns=columns, size=size_of, sharex=True, sharey=True)
    gradient = lcg.linearization.gradient()
    down = [tuple(-gradient[name] for name in lcg.params)]
    for name, _, g in terms:
        down.append((-g, np.zeros_like(g)) if name == lcg.params[0] else (np.zeros_like(g), -g))
    strides = [max(1, -(-number // ARROWS)) for number in z.shape]
    thin = tuple(slice(every // 2, None, every) for every in strides)
    sizes = [np.hypot(u, v)[thin] for u, v in down]
    largest = max((float(size[np.isfinite(size)].max(initial=0.0)) for size in sizes), default=0.0) or 1.0
    norm = LogNorm(largest / 1000, largest)
    cell = [abs(axis[-1] - axis[0]) / max(1, len(axis) // every) for axis, every in zip((xs, ys), strides[::-1])]
    arrows: Any = None
    for k, (ax, (u, v), size) in enumerate(zip(panels, down, sizes)):
        _shade(ax, xs, ys, z, fill=False)
        with np.errstate(all="ignore"):
            length = 0.25 + 0.65 * np.clip(np.log10(1000 * size / largest) / 3, 0, 1)
            du, dv = (np.where(size > 0, w[thin] / size, np.nan) * length * c for w, c in zip((u, v), cell))
        look: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1.0, "width": 0.011, "pivot": "mid"}
        arrows = ax.quiver(xs[thin[1]], ys[thin[0]], du, dv, size, norm=norm, cmap=shades(ax.get_facecolor()), **look)
        _frame(ax, lcg, xs, ys)
        ax.set_title(
            "all paths: the exact gradient"
            if k == 0
            else f"path {terms[k - 1][1]} of {verbatim(terms[k - 1][0], FEW)}",
            fontsize="small",
        )
    figure = cast(Figure, panels[0].figure)
    if own:
        bar = figure.colorbar(arrows, ax=panels, extend="min", shrink=min(1.0, 2.2 / figure.get_figheight() + 0.3))
        bar.set_label("size of the (partial) gradient")
        _label_outer(panels)
    return figure


def trajectories(
    results: Mapping[str, Result], lcg: LCG, *, axes: Sequence[Axes] | None = None, most: int = 20
) -> Figure:
    """The ways that runs take, a panel per estimator side by side, over the contours of the function.

    ``results``: as from ``ts.compare`` on a function of two variables, with histories. ``lcg``:
    ``trace(f, *np.meshgrid(xs, ys))``, the map. Dots are starts, crosses ends; of a batch the first ``most`` runs are
    drawn. ``axes``: as many Axes as results. Raises BadInput for results without a history, or of other parameters.

    >>> import numpy as np, tinyspad as ts
    >>> from tinyspad import plot
    >>> plane = ts.trace(ts.functions.booth, *np.meshgrid(np.linspace(-9, 9, 30), np.linspace(-9, 9, 30)))
    >>> runs = ts.compare(ts.functions.booth, (-5.0, 5.0), {"GD": ts.GD(), "RAD": ts.RAD()}, steps=50, rng=0)
    >>> len(plot.trajectories(runs, plane).axes)
    2
    """
    xs, ys, z = _grid(lcg, "trajectories")
    if not isinstance(results, Mapping) or not results:
        raise BadInput("plot.trajectories takes a dict of results, as ts.compare returns it.")
    ways = {name: _ways(name, result, lcg.params) for name, result in results.items()}
    number = len(results)
    integer(most, "plot.trajectories: most=")
    panels, own = panels_of(axes, number, columns=number, size=(2.9 * number + 0.4, 2.9), sharex=True, sharey=True)
    for ax, (name, result) in zip(panels, results.items()):
        _shade(ax, xs, ys, z)
        _frame(ax, lcg, xs, ys)
        assert result.history is not None
        way = [x[:, :most] for x in ways[name]]
        for r in range(way[0].shape[1]):
            color = TERMS[r % len(TERMS)]
            style = ("-", "--", "-.", ":")[r % 4]
            outline = [withStroke(linewidth=2.8, foreground=BLACK)]  # light colours on grey, told apart in grey, too
            ax.plot(way[0][:, r], way[1][:, r], style, color=color, linewidth=1.5, path_effects=outline)
            ax.plot(way[0][:1, r], way[1][:1, r], "o", color=color, markeredgecolor=BLACK, markersize=5)
            ax.plot(way[0][-1:, r], way[1][-1:, r], "X", color=color, markeredgecolor=BLACK, markersize=7, zorder=5)
        steps = int(result.history.steps[-1]) if len(result.history) else 0
        ax.set_title(f"{verbatim(name, FEW)}, {steps} steps", fontsize="small")
    if own:
        _label_outer(panels)
    return cast(Figure, panels[0].figure)


def _ways(name: str, result: Result, params: tuple[str, ...]) -> list[Any]:
    """Where the runs went, by coordinate, each of shape (steps, runs): two parameters, or the two numbers of an array."""
    history = result.history if isinstance(result, Result) else None
    if history is not None and set(history.x) == set(params):
        return [np.reshape(history.x[p], (len(history), -1)) for p in params]
    if history is not None and len(history):
        runs = np.size(result.value)
        numbers = [np.reshape(x, (len(history), runs, -1)) for x in history.x.values() if x[0].size % runs == 0]
        together = np.concatenate(numbers, axis=2) if numbers else np.zeros((1, 1, 0))
        if together.shape[2] == 2:
            return [together[:, :, 0], together[:, :, 1]]
    raise BadInput(
        f'"{name}" has no history of {" and ".join(params)}: run it with every=1 on a function of these two, or of an array '
        "of two numbers."
    )


def _grid(lcg: LCG, name: str) -> tuple[Any, Any, Any]:
    """The axes and values of a trace on a rectangular grid of two parameters."""
    if isinstance(lcg, LCG) and len(lcg.params) == 2 and len(lcg.batch) == 2 and min(lcg.batch) > 1:
        x, y = (np.asarray(a) for a in lcg.arguments)
        if x.shape == y.shape == lcg.batch and np.all(x == x[:1]) and np.all(y == y[:, :1]):
            if not np.any(np.isfinite(lcg.value)):
                raise BadInput(f"plot.{name}: the function is nowhere finite on this grid.")
            steps = [np.diff(axis) for axis in (x[0], y[:, 0])]
            if not all(np.all(np.isfinite(d)) and (np.all(d > 0) or np.all(d < 0)) for d in steps):
                raise BadInput(f"plot.{name}: the axes of the grid ascend or descend, by finite numbers (np.linspace).")
            return x[0], y[:, 0], np.where(np.isfinite(lcg.value), lcg.value, np.nan)
    raise BadInput(
        f"plot.{name} needs a plane: trace an elementwise function of two variables on a grid, "
        "trace(f, *np.meshgrid(np.linspace(-4, 4, 80), np.linspace(-4, 4, 80))). A function of a vector of two is one of "
        "two variables as ts.of_numbers(f, np.zeros(2))."
    )


def _label_outer(panels: list[Axes]) -> None:
    """Labels at the left, and below the lowest panel of each column, where the last row is not full."""
    columns = sum(ax.get_position().y0 == panels[0].get_position().y0 for ax in panels)
    for i, ax in enumerate(panels):
        if i % columns:
            ax.set_ylabel("")
        if i + columns < len(panels):
            ax.set_xlabel("")
        else:
            ax.tick_params(labelbottom=True)
