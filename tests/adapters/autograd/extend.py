"""autograd's own way to add a rule, which is not tinyspad's."""

from .tracer import primitive

__all__ = ["defvjp", "primitive"]


def defvjp(*args):
    raise NotImplementedError("autograd's own way to add a rule")
