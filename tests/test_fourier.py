"""Fourier transforms and pairs of real numbers: against NumPy's complex ones."""

import itertools

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.errors import NoRule
from tinyspad.written import Complex
from tinyspad.written.complex import ALIKE, PARTS_ALONE, UFUNCS

H = 1e-6
RNG = np.random.default_rng(0)
ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
TWO = ("fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn")


def told(x):
    """A pair, or a Value, as NumPy's numbers."""
    if isinstance(x, Complex):
        real, imag = (part.data if isinstance(part, ts.Value) else part for part in (x.real, x.imag))
        return real + 1j * np.asarray(imag)
    return x.data if isinstance(x, ts.Value) else x


def assert_agree(f, x):
    """Values against NumPy's; derivatives of both orders against differences."""
    expected, found = f(x), f(ts.Value(x))
    np.testing.assert_allclose(told(found), expected, rtol=1e-12, atol=1e-13)
    assert np.shape(found) == np.shape(expected) and np.iscomplexobj(found) == np.iscomplexobj(expected)
    weights = RNG.normal(size=(2, *np.shape(expected)))

    def number(x):
        z = f(x)
        return np.sum(np.tanh(np.real(z)) * weights[0]) + (
            np.sum(np.sin(np.imag(z)) * weights[1]) if np.iscomplexobj(z) else 0.0
        )

    v = RNG.normal(size=np.shape(x))
    ahead, behind = x + H * v, x - H * v
    slope = ts.grad(number)
    # of slopes and curvatures about 1 to 100: rounding 1e-8, truncation 1e-12 times higher derivatives
    assert np.sum(slope(x) * v) == pytest.approx((number(ahead) - number(behind)) / (2 * H), rel=1e-6, abs=1e-6)
    np.testing.assert_allclose(ts.hvp(number, x, v), (slope(ahead) - slope(behind)) / (2 * H), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "n", "norm"), [*itertools.product(ONE, (None, 3, 8), (None, "ortho", "forward"))])
def test_along_an_axis(name, n, norm):
    transform, x = getattr(np.fft, name), RNG.normal(size=(3, 5))
    assert_agree(lambda x: transform(x, n, norm=norm), x)
    assert_agree(lambda x: transform(x, n, axis=0, norm=norm), x)


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("settings", [{}, {"norm": "ortho"}, {"s": (3, 6), "axes": (0, 1)}, {"axes": (1, 0)}])
def test_along_several_axes(name, settings):
    assert_agree(lambda x: getattr(np.fft, name)(x, **settings), RNG.normal(size=(4, 3)))


def test_there_and_back():
    filtered = np.exp(-np.arange(5.0)) + 0.5j
    for f in (
        lambda x: np.fft.irfft(np.fft.rfft(x), 9),
        lambda x: np.fft.irfft(np.fft.rfft(x) * filtered, 9),
        lambda x: np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(x[::-1])),
        lambda x: np.real(np.fft.ifft(np.fft.fftshift(np.fft.fft(x)))),
        lambda x: np.fft.hfft(np.fft.ihfft(x)),
    ):
        assert_agree(f, RNG.normal(size=9))
    assert_agree(lambda x: np.fft.irfft2(np.fft.rfft2(x), s=(4, 5)), RNG.normal(size=(4, 5)))


W, Z = RNG.normal(size=5), RNG.normal(size=5) + 1j * RNG.normal(size=5)
CALLS = {
    "+": lambda z, x: z + x + z + 2 + Z,
    "-": lambda z, x: (1 - z) - x - (Z - z),
    "*": lambda z, x: x * z * z * Z * 2,
    "/": lambda z, x: (z / x + 1 / z + z / z[::-1] + Z / z) / 3,
    "**": lambda z, x: z**3 + z**-2 + z**0,
    "ufuncs with arrays": lambda z, x: np.multiply(x, z) + np.add(Z, z) + np.subtract(z, x) + np.divide(z, Z),
    "-z": lambda z, x: -z + z.conj() + z.conjugate(),
    "abs": lambda z, x: abs(z) + np.abs(z) ** 2,
    "angle": lambda z, x: np.angle(z) + np.angle(z, deg=True) / 100,
    "exp": lambda z, x: np.exp(z / 3) + np.square(z) + np.reciprocal(z) + np.positive(z) + np.conj(z) + np.negative(z),
    "parts": lambda z, x: np.real(z) * np.imag(z) + z.real - z.imag,
    "indices": lambda z, x: z[1:3] * z[[0, 1]],
    "sum": lambda z, x: np.sum(z) + z.sum() + z.mean() + np.mean(z) + np.cumsum(z)[2],
    "moved": lambda z, x: (
        np.roll(z, 2) + np.flip(z) + z.reshape(5, 1)[:, 0] + np.ravel(z) + z.T + z.copy() + z.flatten()
    ),
    "joined": lambda z, x: np.concatenate([z, x, Z]),
    "stacked": lambda z, x: np.stack([z, x]),
    "appended": lambda z, x: np.append(z, [5.0, 6.0]),
    "differences": lambda z, x: np.diff(z) + np.gradient(z)[1:],
    "vdot": lambda z, x: np.vdot(z, Z) + np.vdot(Z, z),
    "split": lambda z, x: np.split(z, [2])[1],
    "spread": lambda z, x: np.expand_dims(z, 0) + np.broadcast_to(z, (2, 5)) + np.squeeze(z[None])[None],
    "taken": lambda z, x: np.take(z, [0, 2]) + np.repeat(z, 2)[:2] + np.tile(z, 2)[5:7],
    "turned": lambda z, x: (
        np.transpose(np.stack([z, z])) + np.swapaxes(np.stack([z, z]), 0, 1) + np.moveaxis(np.stack([z, z]), 0, 1)
    ),
}


@pytest.mark.parametrize("f", CALLS.values(), ids=CALLS)
def test_pairs_are_complex_numbers(f):
    assert_agree(lambda x: f(np.fft.fft(x), x), np.array([1.0, -0.5, 2.0, 0.25, 3.0]))


def test_forms_of_pairs():
    z = np.fft.fft(ts.Value(np.ones((2, 3))))
    assert z.shape == (2, 3) and z.ndim == 2 and z.size == 6 and len(z) == 2 and np.shape(z) == (2, 3)
    assert np.ndim(z) == 2 and np.size(z) == 6 and np.iscomplexobj(z) and not np.isrealobj(z)
    assert "Complex(real=" in repr(z) and len(ALIKE) + len(PARTS_ALONE) + len(UFUNCS) > 30


REFUSED = {
    "@": lambda z: z @ z,
    "a Value @": lambda z: ts.Value(np.ones(3)) @ z,
    "==": lambda z: z == 0,
    "!=": lambda z: z != z,
    "float": lambda z: float(z),
    "complex": lambda z: complex(z),
    "log": lambda z: np.log(z),
    "a power that is no whole number": lambda z: z**0.5,
    "np.array": lambda z: np.array(z),
    "a median": lambda z: np.median(z),
    "a correlation": lambda z: np.correlate(z, z),
    "an interpolation": lambda z: np.interp(0.5, [0, 1, 2], z),
    "a real transform": lambda z: np.fft.rfft(z),
}


@pytest.mark.parametrize("ask", REFUSED.values(), ids=REFUSED)
def test_what_pairs_are_not_asked_is_refused_in_words(ask):
    z = np.fft.fft(ts.Value([1.0, 2.0, 4.0]))
    with pytest.raises(NoRule, match=r"z\.real"):
        ask(z)
    with pytest.raises(TypeError):
        hash(z)
