"""Programs: a function compiled into NumPy source for its value, its gradient, and each of its paths.

Section II-C of the paper: single-access code, differentiated in reverse, in which the terms of the gradient lie open, and
a path that is not followed is code that is not there. The function is recorded once, on Values that hold formulas
instead of numbers; so the tape, the single-access form and the path algebra are those of ``trace``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..arguments import spaced
from ..displays import Code, cut, few, line, page
from ..errors import BadInput
from ..lcg import LCG, Path
from ..lcg.derivatives import CLEAN
from ..linearization import Linearization, Node, guarded_edge, guarded_weights
from ..optimizers import Adam
from ..paths import Route, check_limit, count, counts, enumerate_paths, sweep
from ..rules import Choices
from ..tape import behind, replay
from .buffers import Buffers, Statements, write
from .loop import MOVES, loop_source
from .point import CompiledPoint
from .source import Writer, compiled, follower_source, function_source
from .symbol import Book, Symbol, flattened, restored
from .tidy import Tidy, as_argument, read_only

FEW = 64
"""Up to this many paths of each parameter, runs side by side compute all contributions and take each its own."""

LISTED = 1000
"""How many paths of a parameter a program writes out."""

SHOWN, NUMBERS, ARRAYS = "shown", "numbers", "arrays"
"""The variants in which code is written."""

RESERVED = {"np", "math", "forward", "gradient", "paths", "path", "weights", "t"}


class Program:
    """A compiled function; made by :func:`compile`.

    ``program(*args)`` is the value, ``program.gradient(*args)`` a dict by parameter, ``program.path_gradients(param,
    *args)`` the contributions of all paths; ``program.source(kind)`` is the code that does it. Arguments are numbers, or
    arrays of one shape: so many independent runs. ``params``: the parameters' names. ``program.at(*args)`` answers all
    questions about paths at a point, as the LCG of ``trace`` does. Programs can be pickled and sent to workers.
    ``inputs``: the names of all arguments, the parameters' and behind them those of data, of which no path is asked.
    """

    def __init__(self, lcg: LCG, book: Book, name: str, inputs: tuple[str, ...]) -> None:
        # A mask that multiplies is a weight; as a number, so that two of them add up to 2.
        weight = [
            book.apply(np.multiply, (w, 1.0)) if isinstance(w, bool) or (isinstance(w, Symbol) and w.boolean) else w
            for w in lcg.weight
        ]
        self.name = name
        self.params, self.inputs = lcg.params, inputs
        self.structure, self.names, self.signature = lcg.structure, lcg.names, lcg.signature
        self._lcg = lcg  # for those who look at the program
        self._book, self._value, self._weight = book, lcg.value, weight
        self.choosing = frozenset(lcg.single_access.choices.edges if lcg.single_access.chooses else ())
        self._guarded = self._guard()
        self._variables = _variables_of(lcg)
        counts(self.structure)
        self._forget_code()

    def _guard(self) -> list[Any]:
        """The weights, with nothing flowing along what is not taken."""
        if not self.choosing:
            return self._weight
        return guarded_weights(self.structure, self._weight, Choices(self.choosing))

    @cached_property
    def nodes(self) -> list[Node]:
        """The variables of the single-access program, in the order in which it defines them."""
        return self._lcg.nodes

    @cached_property
    def listing(self) -> str:
        """The single-access program as text."""
        return str(self._lcg)

    @cached_property
    def constants(self) -> list[Any]:
        """The edges' weights where they are constants, None where they are computed."""
        return [None if isinstance(w, Symbol) else w for w in self._weight]

    half_angles = False  # whether on buffers sines and cosines are computed by the tangent of half the angle

    def _forget_code(self) -> None:
        self._written: dict[tuple[str, str], str] = {}
        self._compiled: dict[tuple[str, str], Callable[..., Any]] = {}
        self._stated: dict[str, tuple[Statements, int, list[str]]] = {}
        self._buffered: dict[str, tuple[Callable[..., Any], int, list[Any]]] = {}
        self._followers: dict[int, Callable[..., Any]] = {}

    # --- source ---------------------------------------------------------------------------------------------

    def source(self, kind: str | None = None, *, path: Any = None) -> str:
        """NumPy source: "forward" for the value, "gradient" for all derivatives, "paths" for every path's contribution.

        "loop": what ``minimize`` runs for many starts at once, with the exact gradient and Adam: x are all positions, x0,
        x1, ... its rows, and every result goes into an array that is there, o0 the values and o1, o2, ... the gradient g.
        ``path``: instead, code for one path alone, a ``Path`` or (parameter, index): only what lies on it, and what its
        factors are computed from. "program" is the single-access program of Figure 5. Raises BadInput for anything else,
        TooManyPaths where a parameter has more than 1000.

        >>> import tinyspad as ts
        >>> program = ts.compile(ts.functions.f1)
        >>> print(program.source("gradient"))
        def gradient(x):
            a = x ** 2
            b = 4 * x
            c = np.cos(b)
            d = 2 + c
            return d * (2 * x) + a * -np.sin(b) * 4
        >>> print(program.source(path=("x", 0)))
        def path(x):
            return (2 + np.cos(4 * x)) * (2 * x)
        """
        if (kind is None) == (path is None):
            raise BadInput('source: give a kind ("forward", "gradient" or "paths"), or path=.')
        if path is not None:
            return self._path_source(*self._which(path))
        if kind == "program":
            return self.listing
        if kind == "loop":
            return loop_source(self.statements("value_and_gradient")[0], len(self.params), MOVES[Adam](Adam()))
        if kind not in ("forward", "gradient", "paths", "weights", "value_and_gradient"):
            raise BadInput(f'source: the kinds are "forward", "gradient", "paths", "loop" and "program", not {kind!r}.')
        return self._source(kind)

    def _source(self, kind: str, variant: str = SHOWN) -> str:
        """The code of a kind: as it is shown, as single numbers take it, or as arrays do (whole powers multiplied out)."""
        if (kind, variant) in self._written:
            return self._written[kind, variant]
        writer = Writer(self._names(), {*self.inputs, *RESERVED}, numbers=variant == NUMBERS)
        if kind == "paths":
            result = self._list_paths(writer)
        else:
            outputs = self._outputs(kind)
            found = writer.write(self._book.for_arrays(outputs) if variant == ARRAYS else outputs)
            result = f"{found[0]}, [{', '.join(found[1:])}]" if kind == "weights" else ", ".join(found)
        self._written[kind, variant] = function_source(kind, self.inputs, writer.lines, result)
        return self._written[kind, variant]

    def _outputs(self, kind: str) -> list[Any]:
        """The formulas of what a kind of code computes."""
        if kind == "weights":
            return [self._value, *(w for w in self._weight if isinstance(w, Symbol))]
        if kind == "value_and_paths":
            listed = [enumerate_paths(self.structure, i) for i in range(len(self.params))]
            return [self._value, *(self._term(edges) for paths in listed for edges in paths)]
        value = [] if kind == "gradient" else [self._value]
        if kind == "forward":
            return value
        return value + sweep(self.structure, self._guarded, CLEAN, forget=True)[: len(self.params)]

    def buffered(self, kind: str) -> tuple[Callable[..., Any], int, list[Any]]:
        """Code that computes into memory it is given, ``code(*args, o, b)``: with how many outputs o, and b's dtypes."""
        if kind not in self._buffered:
            written, number, names = self.statements(kind)
            source = function_source(kind, [*names, "o", "b"], [*written.heads(number), *written.lines], "o")
            self._buffered[kind] = (compiled(source, kind, self.name, written.space), number, written.dtypes)
        return self._buffered[kind]

    def statements(self, kind: str) -> tuple[Statements, int, list[str]]:
        """Code of this kind on arrays, how many outputs it has, and its arguments' names, which are x0, x1, ..."""
        if kind not in self._stated:
            outputs = self._book.for_arrays(self._outputs(kind), self.half_angles)
            place = {name: f"x{i}" for i, name in enumerate(self.inputs)}  # they may be called o, b or c
            inputs = {s: place[s.args[0]] for s in self._book.symbols if s.function is None}
            self._stated[kind] = write(outputs, inputs), len(outputs), [*place.values()]
        return self._stated[kind]

    @property
    def few(self) -> bool:
        """Whether runs side by side had best compute all contributions, and take each its own."""
        return max(counts(self.structure)[: len(self.params)], default=0) <= FEW

    def follower(self, param: int) -> Callable[..., Any]:
        """Code for one path of each run, ``follow(weights, masks)``: tupling nodes pass on the branch that a run takes.

        ``weights``: those that are computed, in the order of the edges; ``masks``: for each tupling node behind the
        parameter and each branch but the first, which runs take it.
        """
        if param not in self._followers:
            source = follower_source(self.structure, self.constants, param)
            self._followers[param] = compiled(source, "follow", "paths")
        return self._followers[param]

    def _list_paths(self, writer: Writer) -> str:
        terms, entries = [], []
        for i, name in enumerate(self.params):
            check_limit(count(self.structure, i), LISTED, name)
            terms.append([self._term(edges) for edges in enumerate_paths(self.structure, i)])
        flat = writer.write([term for listed in terms for term in listed])
        for name, listed in zip(self.params, terms):
            own, flat = flat[: len(listed)], flat[len(listed) :]
            variables = []
            for k, text in enumerate(own):
                variable = writer._free(f"g_{name}{k + 1}")
                writer.lines.append(f"{variable} = {text}")
                variables.append(variable)
            entries.append(f'"{name}": [{", ".join(variables)}]')
        return "{" + ", ".join(entries) + "}"

    def _path_source(self, source: int, index: int) -> str:
        edges = Route(self.structure, source, index=index).edges
        writer = Writer({}, {*self.inputs, *RESERVED})
        return function_source("path", self.inputs, writer.lines, writer.write([self._term(edges)])[0])

    def _which(self, path: Any) -> tuple[int, int]:
        pair = (path.param, path.index) if isinstance(path, Path) else path
        two = isinstance(pair, tuple) and len(pair) == 2
        if not two or isinstance(pair[1], bool) or not isinstance(pair[1], (int, np.integer)):
            raise BadInput(f"source: a path is a Path or (parameter, index), not {path!r:.60}.")
        name, index = pair
        if name not in self.params:
            raise BadInput(f"There is no parameter {name!r}; the program has {', '.join(self.params)}.")
        source = self.params.index(name)
        number = count(self.structure, source)
        if not 0 <= index < number:
            raise BadInput(f'"{name}" has {number} paths, numbered from 0; there is no path {index}.')
        return source, int(index)

    def _term(self, edges: Sequence[int]) -> Any:
        """The product along a path, from the output back, as a formula."""
        term, mask = 1.0, True
        for e in reversed(edges):
            weight = self._weight[e]
            if self.choosing:  # what is not taken here lets nothing through further on, either
                factor, mask = guarded_edge(e, weight, mask, Choices(self.choosing))
                weight = factor if isinstance(weight, Symbol) else weight  # times a number, 0 stays 0
            term = CLEAN.extend(term, weight)
        return term

    def _names(self) -> dict[Symbol, str]:
        """The variables of the single-access program keep their names."""
        return {self._book.symbols[number]: name for number, name in self._variables.items()}

    # --- running ----------------------------------------------------------------------------------------------

    def __call__(self, *args: Any) -> Any:
        """The value at a point, or in R runs.

        >>> import tinyspad as ts
        >>> ts.compile(lambda x, y: x * y + 1)(2.0, 3.0)
        7.0
        """
        return self.run("forward", args)[0]

    def gradient(self, *args: Any) -> dict[str, Any]:
        """The gradient as a dict by parameter name.

        >>> import tinyspad as ts
        >>> ts.compile(lambda x, y: x * y).gradient(2.0, 3.0)
        {'x': 3.0, 'y': 2.0}
        """
        return dict(zip(self.params, self.run("gradient", args))) if self.params else {}

    def path_gradients(self, param: str, *args: Any) -> np.ndarray[Any, Any]:
        """The contributions of all paths of a parameter at a point: shape (N,), or (N, R).

        >>> import tinyspad as ts
        >>> ts.compile(ts.functions.f1).path_gradients("x", 5.0).round(2)
        array([ 24.08, -91.29])
        """
        if param not in self.params:
            raise BadInput(f"There is no parameter {param!r}; the program has {', '.join(self.params)}.")
        listed = self.run("paths", args)[self.params.index(param)]
        return np.array(listed).reshape(len(listed), *np.shape(args[0]))

    def at(self, *args: Any, first: str = "weights", buffers: Buffers | None = None) -> Linearization:
        """The program at a point: answers about paths, for estimators. Raises BadInput for arguments that do not fit.

        ``first``: what will be asked, the "weights" of the paths or the "gradient"; the value comes along with it.
        ``buffers``: memory to compute in, for float64 arrays of its shape; what is computed there lasts until the next one.

        >>> import tinyspad as ts
        >>> ts.compile(ts.functions.f1).at(5.0).best_path("x").branches
        (1,)
        """
        if first not in ("weights", "gradient"):
            raise BadInput(f'at: first= is "weights" or "gradient", not {first!r:.60}.')
        if buffers is None:
            args = tuple(a if a.__class__ is float else a.copy() for a in self._checked(args))
        args = tuple(map(read_only, args))
        code = CompiledPoint(self, args, first, buffers)
        return Linearization(code, self.structure, self.params, args[: len(self.params)], code.batch)

    def run(self, kind: str, args: tuple[Any, ...]) -> Any:
        """What the code of this kind returns: floats for numbers, arrays of the runs' shape for arrays."""
        return self.run_checked(kind, self._checked(args))

    def run_checked(self, kind: str, args: tuple[Any, ...]) -> Any:
        """``run`` on arguments that are known to fit."""
        if args and args[0].__class__ is not float:
            with np.errstate(all="ignore"):
                found = self._code(kind, ARRAYS)(*args)
            return Tidy(np.shape(args[0]), args).all(kind, found)
        try:
            return Tidy(None, ()).all(kind, self._code(kind, NUMBERS)(*args))
        except (ArithmeticError, ValueError, TypeError):  # where NumPy gives NaN and infinity, as arrays do
            with np.errstate(all="ignore"):
                return Tidy(None, ()).all(kind, self._code(kind, SHOWN)(*map(np.float64, args)))

    def replay(self, args: tuple[Any, ...], then: Callable[[Any], Any]) -> tuple[Any, list[Any]]:
        """Output and weights, formula by formula, each result passed through ``then`` before it is read."""
        given = dict(zip(self.inputs, args))
        results: dict[int, Any] = {}

        def of(x: Any) -> Any:
            return results[x.number] if isinstance(x, Symbol) else x

        with np.errstate(all="ignore"):
            for symbol in self._book.symbols:
                if symbol.function is None:
                    results[symbol.number] = given[symbol.args[0]]
                else:
                    results[symbol.number] = then(symbol.function(*map(of, symbol.args)))
        return of(self._value), list(map(of, self._weight))

    def _code(self, kind: str, variant: str) -> Callable[..., Any]:
        function = self._compiled.get((kind, variant))
        if function is None:
            source = self._source(kind, variant)
            function = compiled(source, kind, self.name)
            if variant == NUMBERS and "np." in source:
                function = np.errstate(all="ignore")(function)
            self._compiled[kind, variant] = function
        return function

    def _checked(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(args) != len(self.inputs):
            raise BadInput(
                f"The program takes {len(self.inputs)} argument{'s' * (len(self.inputs) != 1)} "
                f"({', '.join(self.inputs)}), and {len(args)} {'was' if len(args) == 1 else 'were'} given."
            )
        if all(a.__class__ is float for a in args):
            return args
        args = tuple(as_argument(name, a) for name, a in zip(self.inputs, args))
        if len({np.shape(a) for a in args}) > 1:
            shapes = ", ".join(f"{name}: {np.shape(a)}" for name, a in zip(self.inputs, args))
            raise BadInput(f"The arguments of a program are numbers, or arrays of one shape; these are {shapes}.")
        return args

    def same_as(self, other: Program) -> bool:
        """Whether two programs compute the same, with the same constants."""
        return repr(self._formulas()) == repr(other._formulas())

    def _formulas(self) -> tuple[Any, ...]:
        """All that is computed, without references to each other."""
        return self.signature, self._book.flat(), *map(flattened, (self._value, *self._weight))

    def __repr__(self) -> str:
        return line(f"Program of {cut(self.name)}({few(self.inputs)}): {spaced(len(self._variables))} operations")

    def _repr_html_(self) -> str:
        return page(repr(self)[1:-1], Code(self.source("forward")), Code(self.source("gradient")))

    def __getstate__(self) -> dict[str, Any]:
        state = {key: getattr(self, key) for key in KEPT}
        state["book"] = self._book.flat()
        state["value"], *state["weight"] = map(flattened, (self._value, *self._weight))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key in KEPT:
            setattr(self, key, state[key])
        self._forget_code()
        self._book = Book.from_flat(state["book"])
        self._value, *self._weight = (restored(x, self._book) for x in (state["value"], *state["weight"]))
        self._guarded = self._guard()
        counts(self.structure)


KEPT = ("name", "params", "inputs", "structure", "names", "nodes", "signature", "listing", "choosing", "_variables")
"""What a program is pickled with as it is, besides its formulas; its code is written anew."""


def _variables_of(lcg: LCG) -> dict[int, str]:
    """The names of the formulas that are variables of the single-access program, by number."""
    made = lcg.single_access
    known = dict(zip(map(id, made.leaves), lcg.arguments))
    symbol_of = {} if made.root is None else replay(behind(made.root), known)
    variables: dict[int, str] = {}
    for entry, name in zip(made.entry_of, lcg.names):
        symbol = None if entry is None else symbol_of.get(id(entry))
        if isinstance(symbol, Symbol) and symbol.function is not None:
            variables.setdefault(symbol.number, name)
    return variables
