"""Blocks: what a subexpression is, and that collapsing it keeps every derivative (brute force over the edges)."""

import numpy as np
import pytest
from programs import Program, listed_paths

import tinyspad as ts
from tinyspad import plot
from tinyspad.errors import BadInput
from tinyspad.lcg import collapsed

f1 = ts.functions.f1


def totals(parts, links, source, output):
    """The sum over all paths of the products of the weights, by recursion."""
    if source == output:
        return 1.0
    return sum(link.weight * totals(parts, links, link.head, output) for link in links if link.tail == source)


def test_a_block_is_all_that_only_serves_one_variable():
    lcg = ts.trace(ts.functions.beale, 1.0, 2.0)
    assert lcg.block("c") == ("x1", "x2", "y1", "a", "b", "c")
    assert set(lcg.block("z")) == set(lcg.names) - {"x", "y"}
    shared = ts.trace(lambda x: (lambda a: a * a + a)(np.sin(x)), 1.0)
    assert shared.block("b") == ("a1", "a2", "b")  # a itself is read by z as well
    with pytest.raises(BadInput, match='no variable "nothing"'):
        lcg.block("nothing")


@pytest.mark.parametrize("seed", range(25))
def test_collapsing_keeps_the_gradient(seed):
    program = Program(seed, length=9)
    lcg = ts.trace(program, *program.point(seed))
    rng = np.random.default_rng(seed)
    inner = [node.name for node in lcg.nodes if node.kind == "operation"]
    name = str(rng.choice(inner))
    parts, links = collapsed(lcg, {"block": lcg.block(name)})
    assert all(link.tail < link.head for link in links)
    at = {part.name: i for i, part in enumerate(parts)}
    output = at.get("z", at["block"])
    for param in lcg.params:
        exact = sum(product for _, product in listed_paths(lcg, param))
        assert totals(parts, links, at[param], output) == pytest.approx(exact, rel=1e-9, abs=1e-9)


def test_no_blocks_is_the_graph_itself():
    lcg = ts.trace(f1, 5.0)
    parts, links = collapsed(lcg, None)
    assert [part.name for part in parts] == lcg.names
    assert [(parts[k.tail].name, parts[k.head].name, k.weight) for k in links] == lcg.edges


def test_a_long_chain_is_collapsed_and_drawn_in_part():
    """What it costs is counted by the work that is left: no list is searched for every node."""

    def chain(x):
        for _ in range(20_000):
            x = np.sin(x)
        return x

    lcg = ts.trace(chain, 1.0)
    parts, links = collapsed(lcg, {"most": lcg.block(lcg.names[15_000])})
    assert len(parts) == 5002 and len(links) == 5001
    assert plot.lcg(lcg, around="z", reach=2).get_title().startswith("part of the graph: 3 of")


def test_two_ways_out_have_no_one_derivative():
    lcg = ts.trace(f1, 5.0)
    parts, links = collapsed(lcg, {"two": ["a", "b"]})
    into = [link for link in links if parts[link.head].name == "two"]
    assert len(into) == 2 and all(link.weight is None for link in into)


@pytest.mark.parametrize(
    "blocks, says",
    [
        ({"p": ["b", "d"]}, 'leaves the block "p" and comes back'),
        ({"p": ["a"], "q": ["a"]}, '"a" is in two blocks'),
        ({"p": []}, "is empty"),
        ({"p": ["nothing"]}, 'no variable "nothing"'),
        (["b"], "collapse= is a dict"),
        ({1: ["d"]}, "collapse= is a dict like"),
        ({"p": 3}, "collapse= is a dict like"),
        ({"x": ["d"]}, "has the name of a variable that is not in it"),
    ],
)
def test_blocks_that_cannot_be(blocks, says):
    with pytest.raises(BadInput, match=says):
        plot.lcg(ts.trace(f1, 5.0), collapse=blocks)


def test_linear_maps_are_collapsed_without_weights():
    lcg = ts.trace(lambda w: np.sum(np.tanh(w) @ w), np.ones((2, 2)))
    parts, links = collapsed(lcg, {"block": lcg.block(lcg.names[lcg.structure.output])})
    assert {part.name for part in parts} == {"w", "block"} and all(link.weight is None for link in links)
