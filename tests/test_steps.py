"""Reverse accumulation step by step, against brute force; and one step as a picture."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from programs import Program

import tinyspad as ts
from tinyspad.errors import NotScalar
from tinyspad.lcg import waiting
from tinyspad.plot.graph import Sketch
from tinyspad.plot.palette import GREEN, ORANGE, YELLOW
from tinyspad.plot.steps import reverse_step

f1 = ts.functions.f1


def adjoint_by_hand(lcg, name):
    """d output / d node: the sum over all ways on, by recursion over the named edges."""
    if name == lcg.names[lcg.structure.output]:
        return 1.0
    return sum(w * adjoint_by_hand(lcg, head) for tail, head, w in lcg.edges if tail == name)


# --- the steps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(15))
def test_steps_find_every_adjoint_and_wait_for_every_reader(seed):
    program = Program(seed, length=7)
    lcg = ts.trace(program, *program.point(seed))
    seen, readers = set(), {name: {head for tail, head, _ in lcg.edges if tail == name} for name in lcg.names}
    steps = lcg.reverse_steps()
    for step in steps:
        assert readers[step.node] <= seen, "a node went before one of its readers"
        seen.add(step.node)
        assert step.adjoint == pytest.approx(adjoint_by_hand(lcg, step.node), rel=1e-9, abs=1e-12)
        assert set(step.sends) == {tail for tail, head, _ in lcg.edges if head == step.node}
        pending_now = waiting(steps[: len(seen)])
        assert set(pending_now) == {tail for tail, head, _ in lcg.edges if head in seen and tail not in seen}
        for name, pending in pending_now.items():
            heard = [(head, w) for tail, head, w in lcg.edges if tail == name and head in seen]
            assert (pending.arrived, pending.readers) == (len(heard), len(readers[name]))
            partial = sum(w * adjoint_by_hand(lcg, head) for head, w in heard)
            assert pending.sum == pytest.approx(partial, rel=1e-9, abs=1e-12)
    assert not waiting(steps) and seen == {name for name in lcg.names if adjoint_by_hand(lcg, name) or readers[name]}


def test_steps_of_arrays_and_of_nothing():
    lcg = ts.trace(lambda w: np.sum(np.tanh(w) * w), np.ones((2, 3)))
    steps = lcg.reverse_steps()
    np.testing.assert_allclose(steps[-1].adjoint, lcg.gradient()["w"])
    assert "array 2x3" in steps[-1].told
    assert ts.trace(lambda x: 3.0, 1.0).reverse_steps() == []
    (only,) = ts.trace(lambda x: x, 1.0).reverse_steps()
    assert (only.node, only.adjoint) == ("x", 1.0)
    with pytest.raises(NotScalar):
        ts.trace(lambda w: w @ w, np.ones((2, 2))).reverse_steps()


def test_a_long_chain_has_steps_without_recursion():
    def chain(x):
        for _ in range(5000):
            x = np.sin(x)
        return x

    assert len(ts.trace(chain, 1.0).reverse_steps()) == 5001


# --- a step as a picture --------------------------------------------------------------------------------------------


def faces(ax, sketch):
    """The fill of every node's marker, by name."""
    marks = [line for line in ax.lines if line.get_marker() in ("o", "s", "D")]
    at = {(line.get_xdata()[0], line.get_ydata()[0]): to_hex(line.get_markerfacecolor()) for line in marks}
    return {sketch.parts[v].name: at[place] for v, place in sketch.places.items()}


def test_a_picture_colours_who_is_done_and_who_waits():
    lcg = ts.trace(f1, 5.0)
    ax = plt.subplots()[1]
    assert reverse_step(lcg, 6, ax) is ax
    seen, sixth = faces(ax, Sketch.of(lcg)), lcg.reverse_steps()[5]
    assert seen[sixth.node] == to_hex(YELLOW) and seen["z"] == to_hex(GREEN) and seen["x"] == to_hex(ORANGE)
    assert {name for name, p in sixth.sends.items() if p.arrived < p.readers} == {"x"}
    assert any("(1 of 2)" in text.get_text() for text in ax.texts) and "x waits for 1 of 2" in ax.get_title()
    last = reverse_step(lcg, 8)
    assert "24.08 + (-91.29) = -67.21" in last.get_title()
    assert set(faces(last, Sketch.of(lcg)).values()) == {to_hex(YELLOW), to_hex(GREEN)}


def test_a_wide_graph_steps_in_linear_time():
    """Counted, not timed: what the steps hold grows with the edges."""
    for n in (10, 1000):
        steps = ts.trace(lambda x: sum([x] * n), 1.0).reverse_steps()
        held = sum(len(step.sends) for step in steps)
        assert (
            held == len(ts.trace(lambda x: sum([x] * n), 1.0).structure.head) and max(len(s.told) for s in steps) < 300
        )
