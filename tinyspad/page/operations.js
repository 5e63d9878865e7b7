// The operations: value and local derivatives, as tinyspad's rules have them, at kinks and ties, too.
(() => {
  "use strict";

  const { LN2, LOG2E, LOG10E, PI } = Math;

  /** C's pow: JavaScript's own makes NaN of 1 ** NaN and of (-1) ** Infinity. */
  const power = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);

  const byBase = (out, x, y) => (y === 0 ? 0 : y === 1 ? 1 : y === 2 ? 2 * x : y * power(x, y - 1));
  const byExponent = (out, x) => out * Math.log(x === 0 ? 1 : x);

  /** x % y with the sign of y, and the quotient, as Python has them. */
  const divided = (x, y) => {
    let rest = x % y;
    if (y === 0) return [NaN, x / y];
    let quotient = (x - rest) / y;
    if (rest !== 0) {
      if (y < 0 !== rest < 0) {
        rest += y;
        quotient -= 1;
      }
    } else rest = y < 0 ? -0 : 0;
    if (quotient === 0) return [rest, y / x < 0 ? -0 : 0]; // the sign of x / y, which may be a zero
    const floor = Math.floor(quotient);
    return [rest, quotient - floor > 0.5 ? floor + 1 : floor];
  };

  const logaddexp = (x, y) => {
    if (x === y) return x + LN2;
    return x > y ? x + Math.log1p(Math.exp(y - x)) : y + Math.log1p(Math.exp(x - y));
  };

  /** exp(x) / (exp(x) + exp(y)), of the difference alone; infinities that tie share, as numbers do. */
  const share = (x, y) => Math.exp(-logaddexp(0, x === y && Math.abs(x) === Infinity ? 0 : y - x));

  const sinc = (x) => (x === 0 ? 1 : Math.sin(PI * x) / (PI * x));

  /** Near 0 the series of the derivative in t = pi x, 12 terms. */
  const sincSlope = (x) => {
    const t = PI * x;
    if (Math.abs(x) >= 0.6) return (PI * (Math.cos(t) - Math.sin(t) / t)) / t;
    let total = 0;
    for (let m = 23; m > 0; m -= 2) {
      let factorial = 1;
      for (let k = 2; k <= m; k++) factorial *= k;
      total = total * t * t + (((m + 1) / 2) % 2 ? -1 : 1) / ((m + 2) * factorial);
    }
    return PI * (total * t);
  };

  const sign = (x) => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : NaN);
  const larger = (x, y) => (x > y ? 1 : x === y ? 0.5 : 0);
  const over = (x, norm) => (norm === 0 ? 0 : x / norm);
  const about = (x, y) => x / Math.hypot(x, y) / Math.hypot(x, y);
  const one = () => 1;
  const none = () => 0;

  const of = (value, ...partials) => ({ value, partials });
  const written = (symbol, value, ...partials) => ({ value, partials, symbol });
  /** A derivative of zero leaves the operand out: its share is 0, even where a factor behind it is infinite. */
  const choice = (value, ...partials) => ({ value, partials, chooses: true });

  /** 1 or 0, which does not vary with what is compared. */
  const compared = (holds) => of((x, y) => (holds(x, y) ? 1 : 0), null, null);

  /** name -> {value(...args), partials: [(out, ...args) => number, ...], symbol, chooses} */
  const OPERATIONS = {
    negative: written("-", (x) => -x, () => -1),
    positive: written("+", (x) => x, one),
    add: written("+", (x, y) => x + y, one, one),
    subtract: written("-", (x, y) => x - y, one, () => -1),
    multiply: written("*", (x, y) => x * y, (out, x, y) => y, (out, x) => x),
    divide: written("/", (x, y) => x / y, (out, x, y) => 1 / y, (out, x, y) => -out / y),
    power: written("**", power, byBase, byExponent),
    remainder: written("%", (x, y) => divided(x, y)[0], one, (out, x, y) => -divided(x, y)[1]),
    square: of((x) => x * x, (out, x) => 2 * x),
    sqrt: of(Math.sqrt, (out) => 0.5 / out),
    cbrt: of(Math.cbrt, (out) => 1 / (3 * out * out)),
    reciprocal: of((x) => 1 / x, (out) => -(out * out)),
    exp: of(Math.exp, (out) => out),
    exp2: of((x) => 2 ** x, (out) => out * LN2),
    expm1: of(Math.expm1, (out, x) => Math.exp(x)),
    log: of(Math.log, (out, x) => 1 / x),
    log2: of(Math.log2, (out, x) => LOG2E / x),
    log10: of(Math.log10, (out, x) => LOG10E / x),
    log1p: of(Math.log1p, (out, x) => 1 / (1 + x)),
    logaddexp: of(logaddexp, (out, x, y) => share(x, y), (out, x, y) => share(y, x)),
    sin: of(Math.sin, (out, x) => Math.cos(x)),
    cos: of(Math.cos, (out, x) => -Math.sin(x)),
    tan: of(Math.tan, (out) => 1 + out * out),
    arcsin: of(Math.asin, (out, x) => 1 / Math.sqrt((1 - x) * (1 + x))),
    arccos: of(Math.acos, (out, x) => -1 / Math.sqrt((1 - x) * (1 + x))),
    arctan: of(Math.atan, (out, x) => 1 / (1 + x * x)),
    arctan2: of(Math.atan2, (out, y, x) => about(x, y), (out, y, x) => -about(y, x)),
    sinh: of(Math.sinh, (out, x) => Math.cosh(x)),
    cosh: of(Math.cosh, (out, x) => Math.sinh(x)),
    tanh: of(Math.tanh, (out) => 1 - out * out),
    arcsinh: of(Math.asinh, (out, x) => 1 / Math.hypot(1, x)),
    arccosh: of(Math.acosh, (out, x) => 1 / (Math.sqrt(x - 1) * Math.sqrt(x + 1))),
    arctanh: of(Math.atanh, (out, x) => 1 / ((1 - x) * (1 + x))),
    sinc: of(sinc, (out, x) => sincSlope(x)),
    hypot: of(Math.hypot, (out, x) => over(x, out), (out, x, y) => over(y, out)),
    absolute: of(Math.abs, (out, x) => sign(x)),
    sign: choice(sign, none),
    maximum: choice(Math.max, (out, x, y) => larger(x, y), (out, x, y) => larger(y, x)),
    minimum: choice(Math.min, (out, x, y) => larger(y, x), (out, x, y) => larger(x, y)),
    where: choice((c, x, y) => (c ? x : y), null, (out, c) => (c ? 1 : 0), (out, c) => (c ? 0 : 1)),
    less: compared((x, y) => x < y),
    less_equal: compared((x, y) => x <= y),
    greater: compared((x, y) => x > y),
    greater_equal: compared((x, y) => x >= y),
    equal: compared((x, y) => x === y),
    not_equal: compared((x, y) => x !== y),
  };

  TinySpad.OPERATIONS = OPERATIONS;
})();
