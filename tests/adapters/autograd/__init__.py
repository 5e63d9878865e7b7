"""autograd's names for tinyspad's functions, with which autograd's own tests run. Thin: nothing is computed in it."""

import builtins
import inspect

import numpy as np

import tinyspad

from . import core
from .builtins import isinstance
from .wrap_util import unary_to_nary

dict, list, tuple = builtins.dict, builtins.list, builtins.tuple
make_jvp, make_vjp = unary_to_nary(core.make_jvp), unary_to_nary(core.make_vjp)
__all__ = ["dict", "grad", "isinstance", "list", "make_jvp", "make_vjp", "tuple", "value_and_grad"]


def grad(f, argnum=0):
    return tinyspad.grad(f, argnum)


def value_and_grad(f, argnum=0):
    return tinyspad.value_and_grad(f, argnum)


@unary_to_nary
def elementwise_grad(f, x):
    return grad(lambda x: np.sum(f(x)))(x)


@unary_to_nary
def deriv(f, x):
    return make_jvp(f)(x)(np.ones(np.shape(x)))[1]


@unary_to_nary
def jacobian(f, x):
    pulled, out = make_vjp(f)(x)
    rows = np.eye(np.size(out)).reshape(np.size(out), *np.shape(out))
    return np.reshape(np.stack([pulled(row) for row in rows]), np.shape(out) + np.shape(x))


@unary_to_nary
def hessian(f, x):
    return jacobian(jacobian(f))(x)


@unary_to_nary
def make_hvp(f, x):
    return make_vjp(grad(f))(x)


def grad_named(f, name):
    return grad(f, inspect.getfullargspec(f).args.index(name))


def hessian_tensor_product(f, argnum=0):
    return grad(lambda *args: np.tensordot(grad(f, argnum)(*args[:-1]), args[-1], np.ndim(args[-1])), argnum)


def tensor_jacobian_product(f, argnum=0):
    return jacobian(lambda *args: np.tensordot(args[-1], f(*args[:-1]), axes=np.ndim(args[-1])), argnum)


def make_ggnvp(f, g=lambda x: 0.5 * np.sum(x**2, axis=-1), f_argnum=0):
    @unary_to_nary
    def product(f, x):
        pulled, out = make_vjp(f)(x)
        curved, pushed = make_vjp(grad(g))(out)[0], make_jvp(f)(x)
        return lambda v: pulled(curved(pushed(v)[1]))

    return product(f, f_argnum)


def grad_and_aux(f, argnum=0):
    return lambda *args: (grad(lambda *at: f(*at)[0], argnum)(*args), f(*args)[1])


def checkpoint(f):
    return f


def holomorphic_grad(f, argnum=0):
    raise NotImplementedError("complex numbers")
