"""The LCG: every variable is read at most once, so a path is a choice of branch at each tupling node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..arguments import spaced
from ..displays import cut, few, line
from ..linearization import difference_beside
from ..paths import Elimination, sweep_from
from ..tape import Value, run_on
from .collapse import block_of
from .comparison import Comparison, comparison_of
from .derivatives import TANGENT, derivative_of, eliminate_together, hessian_of, pushed_by_rows, tangents_of
from .elements import Elements
from .folds import folds_of
from .nonfinite import NonFinite, nonfinite_of
from .recorded import Recorded
from .show import folded_text, graphviz_text, program_text
from .steps import ReverseStep, reverse_steps
from .svg import html_text


class LCG(Recorded):
    """The linearized computational graph of one evaluation, in single-access form; made by :func:`trace`.

    Only what lies on a way from a parameter to the output is kept. A variable that the program reads n > 1 times gets a
    tupling node with n branches of weight 1, in reading order. ``print(lcg)`` is the program of the paper's Figure 5.

    ``value``: the output. ``params``: the parameters' names. ``elementwise``: whether every edge carries a number (or
    one per run) rather than a linear map. ``batch``: () for one run; (R,) when the output is an array of R independent
    runs. In the methods ``param`` may be left out when there is only one. Showing a graph of more than 60 nodes runs f once
    more, to find the line of each operation, and then puts the random generators that f reaches back to where they were.
    """

    # --- what is in it ------------------------------------------------------------------------------------

    def block(self, name: str) -> tuple[str, ...]:
        """The names of all that is computed for this variable alone: a subexpression, which a drawing can collapse.

        Those variables, other than parameters, from which every path to the output leads through ``name``, and ``name``
        itself, the last. Raises BadInput for a name that is not in the graph. Cost: O(edges).

        >>> import tinyspad as ts
        >>> lcg = ts.trace(ts.functions.f1, 5.0)
        >>> lcg.block("d")
        ('x2', 'b', 'c', 'd')
        """
        return block_of(self, name)

    def folds(self, unfold: str | Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
        """The pieces that a large program is shown in, as blocks by name: what ``plot.lcg``'s ``collapse=`` takes.

        By the line of your source and the round of its loop, "line 3, round 7: x = np.sin(x) * x"; where these are more
        than 60, by whole rounds, by several, by whole loops. A line that does nearly all is divided by the lines of what it
        calls, or, like a formula that was typed, by subexpressions. None up to 60 variables. ``unfold``: names of pieces to
        divide further, what stands behind the colon may be left out. Raises BadInput for a name that is none. Cost: f runs
        once more, watched line by line; if it then runs otherwise, there are only subexpressions.

        >>> import numpy as np, tinyspad as ts
        >>> def f(x):
        ...     for _ in range(30):
        ...         x = np.sin(x) * x
        ...     return x
        >>> list(ts.trace(f, 1.0).folds().items())[1]
        ('line 3, round 2: x = np.sin(x) * x', ('b1', 'b2', 'c', 'd'))
        """
        return {name: tuple(self.names[v] for v in nodes) for name, nodes in folds_of(self, unfold=unfold)}

    def text(self) -> str:
        """The program with every operation on a line of its own, however many there are; ``str`` folds what is large.

        >>> import tinyspad as ts
        >>> print(ts.trace(lambda x: x * x, 3.0).text())
        x <- Param_0
        x1, x2 <- x
        z <- x1 * x2
        Return z
        """
        return "\n".join(self._marked(program_text(self)))

    def _marked(self, text: str) -> list[str]:
        lines = text.split("\n")
        if not self.elementwise and len(lines) > len(self.params):
            for i, argument in enumerate(self.arguments):
                lines[i] += "  (an array, as a whole; lcg.elements() has its numbers)" * bool(np.ndim(argument))
        return lines

    def elements(self) -> Elements:
        """The LCG of the numbers in its arrays: every number of a parameter has paths of its own.

        Raises NotScalar where the output is not one number. Cost: none before it is asked; counts and ``log_mass`` cost what
        a gradient does, most else O(edges between numbers), which are written out up to four million.

        >>> import numpy as np, tinyspad as ts
        >>> lcg = ts.trace(lambda w: np.sum(w[:-1] * w[1:]), np.array([1.0, 2.0, 3.0]))
        >>> lcg.count_paths("w"), lcg.elements().count_paths("w")
        (2, array([1, 2, 1]))
        >>> lcg.elements().path_gradients("w[1]")
        array([1., 3.])
        """
        return self._elements

    @cached_property
    def _elements(self) -> Elements:
        return Elements(self.linearization, self.single_access, form=self.form)

    # --- gradients ----------------------------------------------------------------------------------------

    def gradient(self) -> dict[str, Any]:
        """The gradient by parameter; by a container of parameters, in its form.

        Raises NotScalar where there is no one gradient. Cost: a reverse sweep, once.

        >>> import tinyspad as ts
        >>> ts.trace(lambda x, y: x * y, 2.0, 3.0).gradient()
        {'x': 3.0, 'y': 2.0}
        >>> ts.trace(lambda p, x: p["slope"] * x + p["shift"], {"slope": 2.0, "shift": 1.0}, 3.0).gradient()
        {'p': {'slope': 3.0, 'shift': 1.0}, 'x': 2.0}
        """
        slopes = self.single_access.slopes
        found = self.linearization.gradient() if slopes is None else dict(zip(self.params, slopes))
        return found if self.form is None else self.form.by_argument(found)

    def reverse_steps(self) -> list[ReverseStep]:
        """Reverse accumulation one node at a time, from the output to the parameters: adjoint, sum, and who it goes to.

        The adjoint of a node is the sum over its readers of the edge's weight times the reader's adjoint (Griewank &
        Walther 2008, section 3.2), so a node has to wait for all of them; after tupling only tupling nodes have more than
        one. No steps if the output depends on no parameter. Raises NotScalar where there is no one gradient. Cost: O(edges).

        >>> import tinyspad as ts
        >>> for step in ts.trace(lambda x: x * x, 3.0).reverse_steps():
        ...     print(f"{step.told:<56}", *(f"{n}: {p.arrived}/{p.readers}" for n, p in step.sends.items()))
        z is the output: its adjoint is 1                        x1: 1/1 x2: 1/1
        x2: dz/dx2 * adjoint of z = 3 * 1 = 3                    x: 1/2
        x1: dz/dx1 * adjoint of z = 3 * 1 = 3                    x: 2/2
        x has heard from all its branches (x1, x2): 3 + 3 = 6
        """
        self.check_differentiable()
        return list(reverse_steps(self.linearization))

    def central_difference(self, param: str | None = None) -> tuple[Any, Any]:
        """The derivative of the traced function by one parameter, by central differences, and how far it may be off.

        Infinitely where nothing can be told: f is not deterministic, or stands at a jump or the edge of its domain.
        """
        found = difference_beside(self.linearization, self.linearization.source(param))
        return found.slope, found.margin

    # --- derivatives beyond the gradient ---------------------------------------------------------------------

    def jvp(self, *tangents: Any) -> Any:
        """The derivative of the output along a direction, sum of dz/dp * tangent of p, by one forward sweep.

        ``tangents``: one for each parameter, of its shape. In a batch, the R directional derivatives. Raises BadInput for
        other shapes. Cost: O(edges); on a linear map the transpose of its vjp. (Griewank & Walther 2008, section 3.1.)

        >>> import tinyspad as ts
        >>> ts.trace(lambda x, y: x * y, 2.0, 3.0).jvp(1.0, 10.0)
        23.0
        """
        starts = tangents_of(self, tangents)
        found = sweep_from(self.structure, self.weight, TANGENT, starts)[self.structure.output] if starts else 0.0
        if self.single_access.chooses and np.any(np.isnan(found)):  # the sweep backward knows what is not taken
            found = pushed_by_rows(self, starts)
        if isinstance(self.value, float):
            return float(found)
        return np.broadcast_to(found, np.shape(self.value)).copy()

    def derivative(self, param: str | None = None) -> LCG:
        """The derivative by one parameter as a program of its own: an LCG with value, paths and gradient.

        By a number its gradient is a row of the Hessian; by an array it is an array, of which ``hessian`` has the
        Jacobian. It has derivatives in turn. Raises NotScalar where f has no one gradient, ChangedData if a
        Value that f captured was changed since, NoRule for what the tape has forgotten (layers of ``nn``;
        ``ts.grad`` takes them). Step functions and kinks have derivative 0 of their derivative. Cost: O(edges).

        >>> import tinyspad as ts
        >>> slope = ts.trace(lambda x: x**3, 2.0).derivative("x")
        >>> print(slope)
        x <- Param_0
        a <- x ** 2
        z <- 3 * a
        Return z
        >>> slope.value, slope.gradient(), slope.derivative("x").gradient()
        (12.0, {'x': 12.0}, {'x': 6.0})
        """
        source = self.linearization.source(param)
        name = self.params[source]
        out, params = self._slope(source)
        function = None
        if self.function is not None:
            retrace = self.retrace

            def function(*args: Any) -> Any:
                return retrace(*(a._data if isinstance(a, Value) else a for a in args)).adjoint(name)

        return LCG(out, params, function, lambda *args: self.retrace(*args).derivative(name))

    def _slope(self, source: int) -> tuple[Any, dict[str, Value]]:
        """The derivative by a parameter, recorded on new parameters."""
        self.check_differentiable()
        params = {p: Value(a, name=p) for p, a in zip(self.params, self.arguments)}
        # a rule's partial that takes a derivative of its own would forget these parameters
        out = run_on(lambda *_: derivative_of(self, source, params), params.values())
        if not isinstance(out, Value):
            out = self.linearization.shaped(source, out if np.shape(out) else float(out))
        return out, params

    def hessian(self) -> dict[str, dict[str, Any]]:
        """The second derivatives, ``hessian()[p][q]``: the gradients of all derivatives. In a batch, of each run.

        Of arrays the derivative of every number of p by every number of q, of p's shape + q's. Raises as ``derivative``
        does, and NotSymmetric where ``[p][q]`` and ``[q][p]`` differ by more than rounding: a partial derivative in a rule
        is wrong as a program, or the function has no second derivative there. Cost: a derivative per parameter and a sweep
        over it for each of its numbers; ``ts.hvp`` has the product with one vector for a few gradients.

        >>> import numpy as np, tinyspad as ts
        >>> ts.trace(lambda x, y: x * x * y, 2.0, 3.0).hessian()
        {'x': {'x': 6.0, 'y': 4.0}, 'y': {'x': 4.0, 'y': 0.0}}
        >>> ts.trace(lambda w: w[0] ** 2 * w[1], np.array([2.0, 3.0])).hessian()["w"]["w"]
        array([[6., 4.],
               [4., 0.]])
        """

        def number(name: str, at: tuple[int, ...]) -> Elements:
            out, params = self._slope(self.linearization.source(name))
            return LCG(out[at] if at else out, params).elements()

        return hessian_of(self, {name: self.derivative(name) for name in self.params}, number)

    def eliminate(self, order: str | Sequence[Any] = "reverse", by: str = "vertex") -> Elimination:
        """Accumulate the gradient by eliminating intermediate variables, or edges, one after the other, and count.

        ``order``: "forward" and "reverse" (in and against the order of the program: forward and reverse mode), "markowitz"
        (the one with the fewest products next; a good heuristic, no optimum), or a sequence of all intermediate
        variables by name; with ``by="edge"``, of (tail, head, "front" or "back"). The graph is the one without tupling
        nodes. Every order gives the same Jacobian. Raises BadInput for an order that is none, NotElementwise where edges
        are linear maps. (Griewank & Walther 2008, chapter 9; Naumann 2004 and 2008.)

        >>> import tinyspad as ts
        >>> lcg = ts.trace(ts.functions.f1, 5.0)
        >>> for order in "forward", "reverse", "markowitz", ["c", "a", "d", "b"]:
        ...     done = lcg.eliminate(order)
        ...     print(done.order, done.multiplications, round(done.jacobian["x", "z"], 2))
        ('a', 'b', 'c', 'd') 4 -67.21
        ('d', 'c', 'b', 'a') 4 -67.21
        ('a', 'b', 'c', 'd') 4 -67.21
        ('c', 'a', 'd', 'b') 4 -67.21
        """
        return eliminate_together([self], order, by)

    # --- two programs, and what went wrong in one ---------------------------------------------------------------

    def compare(self, other: LCG) -> Comparison:
        """Two ways of writing one function, side by side: the same gradient, other paths? ``print`` it.

        Raises BadInput when the parameters differ. Cost: a listing of the paths of both, where there are few enough.

        >>> import tinyspad as ts
        >>> print(ts.trace(lambda x: x * x, 3.0).compare(ts.trace(lambda x: x**2, 3.0)))
                         left  right
        value            9     9      the same
        gradient of x    6     6      the same
        paths of x       2     1      others
          contributions  3, 3  6
        """
        return comparison_of(self, other)

    def trace_nonfinite(self, *, shown: int = 5) -> NonFinite | None:
        """The first operation whose result or partial derivative is NaN or infinite, and the paths that carry it.

        None if everything is finite. If every result and partial is finite and only their products overflow, the first
        operation, from the output back, whose adjoint does. ``shown``: how many paths of each parameter are named. Cost:
        the operations once more, from what the tape kept; O(edges).

        >>> import numpy as np, tinyspad as ts
        >>> with np.errstate(divide="ignore"):
        ...     print(ts.trace(lambda x: x * np.log(x), 0.0).trace_nonfinite())
        a <- log(x1) gave -inf, the first result that is not finite
        it read x = 0
        it lies on 1 of the 2 paths of x:
          x -> x1 -> a -> z
        """
        return nonfinite_of(self, shown)

    # --- showing it -----------------------------------------------------------------------------------------

    def __str__(self) -> str:
        folds = self._folds
        if not folds:
            return self.text()
        number = spaced(len(self.single_access.entries))
        how = (
            f"({number} operations, folded into {len(folds)} piece{'s' * (len(folds) != 1)}; lcg.text() has every one)"
        )
        return "\n".join([*self._marked(folded_text(self, folds)), how])

    def __repr__(self) -> str:
        counts = few((f"{cut(name)}: {spaced(self.count_paths(name))}" for name in self.params), letters=60)
        size, edges = spaced(self.structure.size), spaced(len(self.structure.head))
        return line(f"LCG of {size} nodes and {edges} edges; paths {{{counts}}}")

    def to_dot(self) -> str:
        """The graph as Graphviz text; Graphviz itself is not needed to make it."""
        return graphviz_text(self)

    def _repr_html_(self) -> str:
        return html_text(self, str(self), self._folds)

    @cached_property
    def _folds(self) -> list[tuple[str, list[int]]]:
        return folds_of(self)
