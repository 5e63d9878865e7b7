"""Any order of building, extending, differentiating, reusing, zeroing and changing data, against a naive reference.

The reference keeps every value as a formula in a list and differentiates it by forward accumulation, one seed at a time,
from the numbers that the formula read: nothing of it is shared with the tape.
"""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

import tinyspad as ts

numbers = st.floats(-2.0, 2.0).map(lambda v: round(v, 3))
BINARY = {
    "+": (lambda a, b: a + b, lambda a, b: (1.0, 1.0)),
    "-": (lambda a, b: a - b, lambda a, b: (1.0, -1.0)),
    "*": (lambda a, b: a * b, lambda a, b: (b, a)),
    "max": (np.maximum, lambda a, b: (np.where(a == b, 0.5, a > b), np.where(a == b, 0.5, a < b))),
}
UNARY = {
    "sin": (np.sin, np.cos),
    "tanh": (np.tanh, lambda a: 1 - np.tanh(a) ** 2),
    "square": (lambda a: a**2, lambda a: 2 * a),
}


class Node:
    """A value of the reference: its number, and (parent, partial, version) for what it read, as it was then."""

    def __init__(self, number, *parents):
        self.number, self.replaced = number, 0
        self.parents = [(parent, partial, parent.version()) for parent, partial in parents]
        self.grad = np.zeros_like(number)

    def version(self):
        """What changes when somebody changes the number, or puts another in its place, be it the same."""
        return (self.replaced, *self.number)

    def behind(self):
        """Every node that this one was computed from, itself included, each once, parents first."""
        seen, order = set(), []

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent, _, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        return order

    def derivative(self, source):
        """d(sum of self)/d(source), elementwise, by forward accumulation from source."""
        tangent = {}
        for node in self.behind():
            arriving = [tangent[id(parent)] * partial for parent, partial, _ in node.parents]
            tangent[id(node)] = (
                np.ones_like(node.number) if node is source else sum(arriving, np.zeros_like(node.number))
            )
        return tangent[id(self)]

    def out_of_date(self):
        """Whether a number that somebody behind this node read has been changed since."""
        return any(parent.version() != then for node in self.behind() for parent, _, then in node.parents)


class Tape(RuleBasedStateMachine):
    """Values of one shape (2,), elementwise; the machine holds each with its reference."""

    values = Bundle("values")

    def __init__(self):
        super().__init__()
        self.pairs = []

    def both(self, value, node):
        self.pairs.append((value, node))
        return value, node

    @initialize(target=values, start=st.tuples(numbers, numbers))
    def first(self, start):
        return self.leaf(start)

    @rule(target=values, data=st.tuples(numbers, numbers))
    def new_leaf(self, data):
        return self.leaf(data)

    def leaf(self, data):
        return self.both(ts.Value(list(data)), Node(np.array(data)))

    @rule(target=values, a=values, b=values, name=st.sampled_from(sorted(BINARY)))
    def combine(self, a, b, name):
        function, partials = BINARY[name]
        (v, n), (w, m) = a, b
        p, q = partials(n.number, m.number)
        value = np.maximum(v, w) if name == "max" else function(v, w)
        return self.both(value, Node(function(n.number, m.number), (n, p), (m, q)))

    @rule(target=values, a=values, name=st.sampled_from(sorted(UNARY)))
    def apply(self, a, name):
        function, derivative = UNARY[name]
        v, n = a
        return self.both(function(v), Node(function(n.number), (n, derivative(n.number))))

    @rule(target=values, a=values, c=numbers)
    def with_a_constant(self, a, c):
        v, n = a
        return self.both(c * v + 1.0, Node(c * n.number + 1.0, (n, np.full(2, c))))

    @rule(a=values)
    def differentiate(self, a):
        v, n = a
        if n.out_of_date():
            before = [np.copy(value.grad) for value, _ in self.pairs]
            with pytest.raises(ts.errors.ChangedData):
                v.backward(np.ones(2))
            for (value, _), grad in zip(self.pairs, before):
                np.testing.assert_array_equal(value.grad, grad)  # a refused pass leaves nothing behind
            return
        v.backward(np.ones(2))
        for node in n.behind():
            node.grad = node.grad + n.derivative(node)

    @rule(a=values)
    def zero(self, a):
        v, n = a
        v.grad = 0.0
        n.grad = np.zeros(2)

    @rule(a=values, at=st.integers(0, 1), to=numbers)
    def write_into(self, a, at, to):
        v, n = a
        if n.parents:
            with pytest.raises(ValueError, match="read-only"):
                v.data[at] = to
        else:
            v.data[at] = to
            n.number = n.number.copy()
            n.number[at] = to

    @rule(a=values, to=st.tuples(numbers, numbers))
    def replace(self, a, to):
        v, n = a
        if not n.parents:
            v.data = np.array(to)
            n.number = np.array(to)
            n.replaced += 1

    @rule(a=values)
    def copies_stand_alone(self, a):
        v, n = a
        if not n.parents:
            for twin in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
                np.testing.assert_array_equal(twin.data, n.number)
                (twin * twin).sum().backward()  # must not reach the original: the invariant looks

    @precondition(lambda self: len(self.pairs) > 6)
    @rule(a=consumes(values))
    def let_go(self, a):
        """Nobody holds the Value any more; what was computed from it must not notice."""
        self.pairs = [pair for pair in self.pairs if pair[0] is not a[0]]

    @invariant()
    def numbers_and_gradients_agree(self):
        for value, node in self.pairs:
            np.testing.assert_allclose(value.data, node.number, rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(value.grad, node.grad, rtol=1e-9, atol=1e-9)


TestTape = Tape.TestCase
TestTape.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
