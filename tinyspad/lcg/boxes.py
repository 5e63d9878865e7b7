"""Boxes of numbers: which number of which array a name means, and answers in an array's shape."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np

from ..arguments import Array, Data
from ..errors import BadInput
from .numbers import place_of, places

NUMBER = re.compile(r"\s*(?P<name>.*?)\s*\[(?P<place>\s*-?\d+\s*(,\s*-?\d+\s*)*)\]\s*")


class Boxes:
    """Parameters that are arrays, and their numbers, which are called "w[3]" or "W[0, 1]"."""

    def __init__(self, params: tuple[str, ...], arguments: tuple[Data, ...]) -> None:
        self.params, self.arguments = params, arguments
        shapes = dict(zip(params, map(np.shape, arguments)))
        self.shapes: dict[str, tuple[int, ...]] = shapes
        sizes = [math.prod(shape) for shape in shapes.values()]
        self._first = dict(zip(params, np.cumsum([0, *sizes]).tolist()))

    def number(self, param: str | None, question: str = "this") -> str:
        """The full name of one number. Raises BadInput for an array of several, where the answers would be ragged."""
        name, place = self.where(param)
        shape = self.shapes[name]
        if place is None and math.prod(shape) != 1:
            first = next(iter(places(shape)), "[...]")
            raise BadInput(
                f'{question} is asked of one number: "{name}{first}", say, of the {math.prod(shape)} in "{name}".'
            )
        return f"{name}{place_of(shape, place or 0)}"

    def where(self, param: str | None) -> tuple[str, int | None]:
        """The parameter, and which of its numbers is meant, None for all. Raises BadInput for a name that is none."""
        if param is None and len(self.params) == 1:
            return self.params[0], None
        if isinstance(param, str):
            if param in self.shapes:
                return param, None
            found = NUMBER.fullmatch(param)
            if found and found["name"] in self.shapes:
                return found["name"], self._place(found["name"], found["place"])
        asked = "Which parameter?" if param is None else f"There is no parameter {param!r}:"
        listed = ", ".join(f"{name} of shape {shape}" if shape else name for name, shape in self.shapes.items())
        raise BadInput(f'{asked} The function has {listed}; a number of an array is asked for as "name[index]".')

    def _place(self, name: str, text: str) -> int:
        shape = self.shapes[name]
        try:
            index = [int(part) for part in text.split(",")]
            if len(index) != len(shape) or not shape:
                raise IndexError
            return int(np.ravel_multi_index([range(n)[i] for i, n in zip(index, shape)], shape))
        except (ValueError, IndexError):
            raise BadInput(f'"{name}" has the shape {shape}, and no number [{text}].') from None

    def numbers_of(self, param: str) -> tuple[str, ...]:
        """The names of all numbers that are meant."""
        name, place = self.where(param)
        shape = self.shapes[name]
        return tuple(name + at for at in places(shape)) if place is None else (f"{name}{place_of(shape, place)}",)

    def each(self, param: str | None, ask: Callable[[str], Data]) -> Data:
        """What is answered for one number, or for every number of an array, in its shape."""
        name, place = self.where(param)
        answers = [ask(number) for number in self.numbers_of(param or name)]
        return answers[0] if place is not None or not self.shapes[name] else self._shaped(answers, self.shapes[name])

    def _all(self, param: str | None, found: Data) -> Data:
        """Of what is known of every node, what belongs to one number, or to the numbers of an array."""
        name, place = self.where(param)
        shape, first = self.shapes[name], self._first[name]
        if place is not None or not shape:
            return found[first + (place or 0)]
        return self._shaped(found[first : first + math.prod(shape)], shape)

    @staticmethod
    def _shaped(answers: Data, shape: tuple[int, ...]) -> Array:
        large = any(isinstance(a, int) and abs(a) >= 2**63 for a in answers)
        return np.array(answers, object if large else None).reshape(shape)
