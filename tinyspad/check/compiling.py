"""Exercises of tutorial 07: the compiler's view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .answer import call, check_rng
from .memory import alive_elsewhere, arrays_in, bytes_kept, is_plain, taken_along
from .verdict import Tell, Wrong, exercise, expect, near, pair, plain, same, show


@exercise(
    7,
    "A path not taken is code not there",
    idea="Go through the program from its end, with a set of the names that somebody needs. What does a line that is "
    "needed add?",
    formula="needed = {wanted}; for result, arguments in reversed(program): if result in needed: keep it, and "
    "needed.update(arguments). At last turn what was kept round.",
)
def live_code(answer: Callable[..., Any]) -> None:
    """Grade ``live_code(program, wanted)``: the results that have to be computed for one variable, in program order.

    ``program``: a list of (result, [arguments]), every result defined once and before it is read; what is never a result
    is a parameter. Returns the list of the results that ``wanted`` needs, itself the last.

    >>> from tinyspad import check
    >>> check.live_code(lambda program, wanted: [result for result, _ in program]).misconception
    'keeps everything'
    """
    program = [("a", ["x"]), ("b", ["x"]), ("c", ["b"]), ("d", ["a", "c"]), ("e", ["c"]), ("z", ["d", "e"])]
    told = f'live_code({program}, "e")'
    expect(
        call(answer, program, "e", told=told),
        ["b", "c", "e"],
        told,
        {
            "keeps everything": (["a", "b", "c", "d", "e", "z"], "a, d and z are not needed for e: leave them out."),
            "keeps all before it": (["a", "b", "c", "d", "e"], "a and d come before e, but e does not read them."),
            "one level": (["c", "e"], "e reads c, and c reads b: follow what the arguments need, too."),
            "wrong order": (["e", "c", "b"], "Code runs from top to bottom: give the results in program order."),
            "lists parameters": (["x", "b", "c", "e"], "x is a parameter: it is given, not computed."),
            "leaves out the wanted": (["b", "c"], "The wanted variable itself has to be computed, too."),
        },
        "Go through the program from its end, and keep what somebody needs.",
    )
    told = f'live_code({program}, "z")'
    want = ["a", "b", "c", "d", "e", "z"]
    tells = {
        "keeps it twice": (["a", "b", "c", "d", "b", "c", "e", "z"], "c is needed by d and by e, but computed once."),
    }
    expect(call(answer, program, "z", told=told), want, told, tells)
    rng = np.random.default_rng(6)
    for length in (1, 2, 3, 5, 8, 12):
        names, some = ["x", "y"], []
        for _ in range(length):
            name = f"v{rng.integers(1000)}"
            if name not in names:
                some.append((name, [str(rng.choice(names)) for _ in range(int(rng.integers(1, 4)))]))
                names.append(name)
        wanted = some[-1 - len(some) // 4][0]
        told = f'live_code({some}, "{wanted}")'
        hint = "Go through the program from its end, and keep what somebody needs."
        expect(call(answer, some, wanted, told=told), _live(some, wanted), told, {}, hint)
    told = f'live_code({program}, "x")'
    expect(
        call(answer, program, "x", told=told),
        [],
        told,
        {},
        "x is a parameter: it is given, so nothing has to be computed.",
    )
    told = 'live_code(program, "v20000") on a chain of 20 000 lines'
    long = [(f"v{i + 1}", [f"v{i}"]) for i in range(20_000)]
    got = call(answer, long, "v20000", told=told)
    if not same(got, [result for result, _ in long]):
        raise Wrong(
            "another value", "All 20 000 lines of a chain are needed for its end.", f"{told} gave {show(got)[:80]}."
        )
    told = 'live_code(program, "v60") on 60 doublings'
    doubled = [(f"v{i + 1}", [f"v{i}", f"v{i}"]) for i in range(60)]
    expect(call(answer, doubled, "v60", told=told, paths="2**60"), [f"v{i + 1}" for i in range(60)], told)


def _live(program: Any, wanted: str) -> list[str]:
    """By the definition: everything that can be reached from wanted, over arguments."""
    arguments, reached, pending = dict(program), set(), [wanted]
    while pending:
        name = pending.pop()
        if name in arguments and name not in reached:
            reached.add(name)
            pending += arguments[name]
    return [result for result, _ in program if result in reached]


@exercise(
    7,
    "Eliminate a vertex",
    idea="Take every edge into the vertex with every edge out of it. Their product goes to the edge from tail to "
    "head; is there "
    "one already?",
    formula="left[tail, head] = left.get((tail, head), 0) + w1 * w2 for all such pairs, left being the edges that do "
    "not touch "
    "the vertex; one multiplication a pair.",
)
def eliminate(answer: Callable[..., Any]) -> None:
    """Grade ``eliminate(edges, vertex)``: the edges without this vertex, and how many multiplications that took.

    ``edges``: a dict {(tail, head): weight}. The sum over all paths between the other vertices stays what it was. Returns
    (edges, multiplications).

    >>> from tinyspad import check
    >>> check.eliminate(lambda edges, vertex: ({e: w for e, w in edges.items() if vertex not in e}, 0)).misconception
    'drops the paths through it'
    """
    edges = {("x", "v"): 2.0, ("y", "v"): 3.0, ("v", "z"): 5.0, ("x", "z"): 7.0}
    told = f'eliminate({edges}, "v")'
    left, multiplications = _edges(call(answer, edges, "v", told=told), told)
    expect(
        left,
        {("x", "z"): 17.0, ("y", "z"): 15.0},
        told,
        {
            "missing accumulation": (
                {("x", "z"): 10.0, ("y", "z"): 15.0},
                "The edge x -> z was there already, with 7: the path through v is added to it.",
            ),
            "keeps the old edge": (
                {("x", "z"): 7.0, ("y", "z"): 15.0},
                "The path x -> v -> z is added to the edge x -> z.",
            ),
            "drops the paths through it": (
                {("x", "z"): 7.0},
                "The paths through v still exist; without v each of them is an edge of its own.",
            ),
            "keeps the vertex": (
                {**edges, ("x", "z"): 17.0, ("y", "z"): 15.0},
                "The edges into v and out of it go away: otherwise the paths through v count twice.",
            ),
            "adds along the path": ({("x", "z"): 14.0, ("y", "z"): 8.0}, "Along a path weights are multiplied."),
        },
    )
    hint = "There is one product for each pair of an edge into v and one out of it."
    counts: Tell = {
        "counts additions": (3, "Only multiplications count: the one addition does not, nor do the three edges at v."),
        "counts none": (0, "Count the products that were taken."),
    }
    expect(multiplications, 2, f"{told} (multiplications)", counts, hint)
    other = {("x", "v1"): 2.0, ("v1", "v"): 3.0, ("v", "z"): 5.0}
    told = f'eliminate({other}, "v")'
    left, _ = _edges(call(answer, other, "v", told=told), told)
    tells: Tell = {
        "mistakes the vertex": ({("x", "z"): 30.0}, "v1 is another vertex: compare names with ==, not with in."),
        "joins everywhere": (
            {("x", "v"): 6.0, ("v1", "z"): 15.0},
            "Only ways through v are joined; v1 stays as it is.",
        ),
    }
    hint = "Only the vertex that was named goes away; v1 is another one. Compare whole names, with ==."
    expect(left, {("x", "v1"): 2.0, ("v1", "z"): 15.0}, told, tells, hint)
    told = f'eliminate({edges}, "w")'
    left, multiplications = _edges(call(answer, edges, "w", told=told), told)
    expect(left, edges, told, {}, "There is no vertex w, so nothing changes.")
    expect(multiplications, 0, f"{told} (multiplications)", {}, "There is no vertex w, so nothing is multiplied.")
    wide = {
        ("a", "v"): 1.0,
        ("b", "v"): 2.0,
        ("v", "p"): 3.0,
        ("v", "q"): 4.0,
        ("v", "r"): 5.0,
        ("a", "p"): 6.0,
        ("s", "t"): 1.0,
    }
    told = f'eliminate({wide}, "v")'
    ways = {(tail, head): wide[tail, "v"] * wide["v", head] for tail in "ab" for head in "pqr"}
    tells = {
        "counts edges": (5, "Count products: one for each way through v, in-edges times out-edges."),
        "counts additions": (7, "Only multiplications count; the one addition does not."),
        "counts none": (0, "Count the products that were taken."),
    }
    left, multiplications = _edges(call(answer, wide, "v", told=told), told)
    expect(left, ways | {("a", "p"): 9.0, ("s", "t"): 1.0}, told)
    expect(
        multiplications,
        6,
        f"{told} (multiplications)",
        tells,
        "There is one product for each pair of an edge into v and one out of it.",
    )
    rng = np.random.default_rng(7)
    for size in (2, 3, 4, 5, 6):
        some, through = _random_edges(rng, size)
        told = f'eliminate({some}, "v")'
        left, multiplications = _edges(call(answer, some, "v", told=told), told)
        want = {edge: weight for edge, weight in some.items() if "v" not in edge}
        for tail, head in through:
            want[tail, head] = want.get((tail, head), 0.0) + some[tail, "v"] * some["v", head]
        left, want = (
            {edge: w for edge, w in found.items() if w != 0.0} for found in (left, want)
        )  # 0 is as good as none
        expect(left, want, told, {}, "Every way through v becomes an edge, or is added to the one that is there.")
        expect(
            multiplications,
            len(through),
            f"{told} (multiplications)",
            {},
            "There is one product for each way through v.",
        )


def _random_edges(rng: np.random.Generator, size: int) -> tuple[dict[Any, float], list[tuple[str, str]]]:
    """Edges around v, some with the weight 0, others past it; and the ways through v. v may have no way in, or out."""
    into = {(f"a{i}", "v"): float(rng.integers(-3, 4)) for i in range(int(rng.integers(0, size)))}
    out = {("v", f"b{i}"): float(rng.integers(-3, 4)) for i in range(int(rng.integers(0, size)))}
    past = {(f"a{rng.integers(size)}", f"b{rng.integers(size)}"): float(rng.integers(1, 4)) for _ in range(size)}
    items = list((into | out | past).items())
    rng.shuffle(items)  # type: ignore[arg-type]
    return {tuple(edge): weight for edge, weight in items}, [(tail, head) for tail, _ in into for _, head in out]


@exercise(
    7,
    "Save memory in a linear layer",
    idea="Row j of the gradient needs column j of x alone. Keep k columns and which they are; on average a row is "
    "there k times "
    "in d.",
    formula="Keep (x[:, chosen], chosen, d) with chosen = rng.choice(d, size=k, replace=False); then "
    "gradient[chosen] = columns.T "
    "@ delta * (d / k), the other rows being 0.",
)
# long, as a grader asks one thing after the other, each with its hint
def linear_memory(save: Callable[..., Any], gradient: Callable[..., Any]) -> None:
    """Grade ``linear_memory(x, keep, rng)`` and ``linear_gradient(saved, delta)``: the weight gradient from few inputs.

    The layer is x @ w, x of shape (B, d); its weight gradient x.T @ delta, shape (d, K), is a sum over d features, each
    with paths of its own. ``linear_memory`` draws k = ceil(keep * d) of the features, the same for the whole batch, and
    returns what backward needs, and no more: a tuple. ``linear_gradient`` makes an unbiased estimate of x.T @ delta from
    it (Oktay et al. 2020).

    >>> from tinyspad import check
    >>> check.linear_memory(lambda x, keep, rng: (x,), lambda saved, delta: saved[0].T @ delta).misconception
    'keeps everything'
    """
    data = np.random.default_rng(0)
    d, k, keep = 25, 3, 0.1
    x, delta = data.normal(size=(30, d)), data.normal(size=(30, 4))
    exact, rng = x.T @ delta, np.random.default_rng(1)
    told = f"linear_memory(x, {keep}, rng), x of shape (30, {d}),"
    saved = call(save, x, keep, rng, told=told)
    if not isinstance(saved, tuple) or not is_plain(saved):
        hint = "Return a tuple of arrays and numbers: what is in other things, such as functions, is kept as well."
        raise Wrong("hides what it keeps", hint, f"{told} gave {saved!r:.60}.")
    held = bytes_kept(saved)
    if held > 0.25 * x.nbytes:
        view = any(a.base is not None and a.size < x.size for a in arrays_in(saved))
        raise Wrong(
            "keeps a view" if view else "keeps everything",
            "A slice of x is a view, which keeps all of x alive. Indexing with an array of positions, x[:, chosen], "
            "copies."
            if view
            else "What backward does not need must not be kept: an array of zeros and kept values is as large as x "
            "itself. Keep the chosen columns, and which they are.",
            f"{told} keeps {held} bytes alive; x has {x.nbytes}, and a tenth was asked for.",
        )
    check_rng(lambda rng: call(save, x, keep, rng, told=told), told=told)
    back = "linear_gradient(saved, delta)"
    estimates = []
    for _ in range(2600):  # features 0 and 1 are together once in a hundred draws
        got = call(gradient, call(save, x, keep, rng, told=told), delta, told=back)
        if not isinstance(got, np.ndarray) or got.dtype.kind != "f":
            raise Wrong("another value", "Return the gradient as an array of floats.", f"{back} gave {show(got)}.")
        if got.shape != exact.shape:
            raise Wrong(
                "another shape",
                "The gradient has the shape of w, (d, K): rows that were not drawn are zero.",
                f"{back} has shape {got.shape}.",
            )
        estimates.append(got)
    rows = np.array([np.sum(np.any(e != 0, axis=1)) for e in estimates])
    example = f"In the first draw {rows[0]} of {d} rows are not zero; {k} were asked for."
    ratios = [_ratio(e, exact) for e in estimates]
    if any(r is None for r in ratios) and all(_by_row(e, exact) for e in estimates):
        hint = "Every row is a multiple of the exact one, but not all of the same: a feature was drawn twice. replace=False."
        raise Wrong("features repeat", hint, example)
    if np.all(rows == d):
        hint = "It follows all features, of some examples. Draw features, which are the columns of x, for all examples."
        raise Wrong("draws examples", hint, example)
    if any(r is None for r in ratios):
        raise Wrong(
            "draws again",
            "A row of the estimate is not a multiple of its row of x.T @ delta: the columns were put in rows of "
            "other features. Backward must use the features that were drawn in forward, so keep which they are.",
            example,
        )
    scale = float(np.median([r for r in ratios if r is not None]))
    if abs(scale - 1) < 5e-3:
        raise Wrong(
            "missing 1/p",
            "Each feature is drawn with probability k/d, so its row is right only that often. Divide by k/d.",
            f"Rows that were drawn are {scale:g} times the exact ones; it has to be {d / k:.4g} times, at {k} of {d}.",
        )
    if np.any(rows != k):
        fewest, most = rows.min(), rows.max()
        told_rows = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        hint = f"ceil(keep * d) = {k} different features are drawn, never more and never fewer: replace=False, and round up."
        raise Wrong("another number of features", hint, f"In {len(rows)} draws {told_rows} of {d} rows were not zero.")
    if abs(scale - d / k) > 5e-3 * d / k:
        hint = f"The rows that were drawn are divided by k/d, here {k}/{d}: keep is only about that."
        raise Wrong("another factor", hint, f"They are {scale:.4g} times the exact ones.")
    drawn = np.mean([np.any(e != 0, axis=1) for e in estimates], axis=0)
    if not near(drawn, np.full(d, k / d), len(estimates)):
        raise Wrong(
            "always the same features",
            "Every feature must have the same chance: rng.choice(d, size=k, replace=False).",
            f"Over {len(estimates)} draws the features were drawn in {drawn.min():.1%} to {drawn.max():.1%} of them.",
        )
    _check_own(save, gradient)
    together = np.mean([np.sum(np.any(e != 0, axis=1)[[0, 1]]) == 2 for e in estimates])
    if not near([together], [k * (k - 1) / (d * (d - 1))], len(estimates)):
        hint = "Every set of k features must be as likely as any other: rng.choice(d, size=k, replace=False)."
        raise Wrong("always neighbours", hint, f"Features 0 and 1 were drawn together in {together:.1%} of the draws.")


def _check_own(save: Callable[..., Any], gradient: Callable[..., Any]) -> None:
    """Raise Wrong unless backward gets on with what was saved: two layers go forward before either goes backward."""
    hint = (
        "Backward needs what is not in saved, such as the last x in a global, or numbers of the first example that "
        "are written "
        "into the code; or memory grows by more than saved. A net has many layers, of many sizes, and all go forward "
        "before one "
        "goes back."
    )
    rng, told = np.random.default_rng(5), "linear_memory of two layers, then linear_gradient of each"
    wide = rng.normal(size=(100, 1000))
    here = "linear_memory(x, .1, rng), x of shape (100, 1000),"
    elsewhere = alive_elsewhere(lambda x: call(save, x, 0.1, rng, told=here), wide, bytes_kept)
    if elsewhere > wide.nbytes // 20:
        raise Wrong("keeps it elsewhere", hint, f"After {here} {elsewhere} bytes more are in use than it returned.")
    for b, d, keep in ((3, 7, 0.4), (1, 5, 1.0), (4, 9, 0.25), (2, 8, 0.5)):
        k = int(np.ceil(keep * d))
        layers = [rng.normal(size=(b, d)) for _ in range(2)]
        delta = rng.normal(size=(b, 2))
        saved = [taken_along(call(save, x, keep, rng, told=told)) for x in layers]
        for x, one in zip(layers, saved):
            got = np.asarray(call(gradient, one, delta, told=told), float)
            exact = x.T @ delta
            rows = np.any(got != 0, axis=-1) if got.shape == exact.shape else np.zeros(d, bool)
            if rows.sum() != k or not np.allclose(got[rows], exact[rows] * d / k, rtol=5e-3):
                hint = (
                    "Backward needs what is not in saved, such as the last x in a global, or numbers of the first "
                    "example that "
                    "are written into the code. A net has many layers, of many sizes, and all go forward before one "
                    "goes back."
                )
                raise Wrong("keeps it elsewhere", hint, f"{told}; x of shape ({b}, {d}), keep {keep}.")


def _ratio(estimate: Any, exact: Any) -> float | None:
    """What the rows that are not zero were multiplied by; None if they are not rows of the exact gradient.

    To three digits: the columns may have been kept in half precision.
    """
    rows = np.any(estimate != 0, axis=1)
    if not np.any(rows):
        return 0.0
    factors = estimate[rows] / exact[rows]
    first = factors[:, :1]
    return float(first[0, 0]) if np.allclose(factors, first[0, 0], rtol=5e-3) else None


def _by_row(estimate: Any, exact: Any) -> bool:
    """Whether every row is a multiple of the exact one, its own."""
    factors = estimate / exact
    return bool(np.allclose(factors, factors[:, :1], rtol=5e-3))


def _edges(got: Any, told: str) -> tuple[dict[Any, Any], Any]:
    left, multiplications = pair(got, told, "the new dict of edges, and the number of multiplications")
    left = plain(left)
    if not isinstance(left, dict):
        raise Wrong("another value", "The edges are a dict {(tail, head): weight}.", f"{told} gave {left!r:.60}.")
    return left, multiplications
