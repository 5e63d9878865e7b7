"""Whether something is recorded."""

from tinyspad import Value


def isbox(x):
    return isinstance(x, Value)


def primitive(f):
    raise NotImplementedError("autograd's own way to add a rule")
