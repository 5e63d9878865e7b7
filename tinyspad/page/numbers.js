// Numbers as Python writes them, so that the page's texts are tinyspad's; and the errors that a reader is told.
const TinySpad = {};

(() => {
  "use strict";

  /** What was asked cannot be done; the message says what, where, and what next. */
  class Problem extends Error {}

  const named = (x) => (Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf");

  const withExponent = (sign, digits, exponent) => {
    const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
    return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  };

  const positional = (sign, digits, exponent) => {
    if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
    const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
    const rest = digits.slice(exponent + 1);
    return sign + whole + (rest ? `.${rest}` : "");
  };

  const parts = (text) => {
    const [mantissa, exponent] = text.split("e");
    return [mantissa.replace("-", "").replace(".", ""), Number(exponent)];
  };

  const signOf = (x) => (x < 0 || Object.is(x, -0) ? "-" : "");

  /** repr(x): as many digits as are needed to tell x from its neighbours. */
  const repr = (x) => {
    if (!Number.isFinite(x)) return named(x);
    const [digits, exponent] = parts(x.toExponential());
    if (exponent < -4 || exponent >= 16) return withExponent(signOf(x), digits, exponent);
    const text = positional(signOf(x), digits, exponent);
    return text.includes(".") ? text : `${text}.0`;
  };

  /** f"{x:.{n}g}": n digits, without zeros at the end; halves go to the even digit, as in Python. */
  const general = (x, n) => {
    if (!Number.isFinite(x)) return named(x);
    let [digits, exponent] = parts(x.toExponential(n - 1));
    const [exact, own] = parts(x.toExponential(100)); // JavaScript rounds halves up
    if (/^50*$/.test(exact.slice(n)) && exact[n - 1] % 2 === 0) [digits, exponent] = [exact.slice(0, n), own];
    digits = digits.replace(/0+$/, "") || "0";
    const scientific = exponent < -4 || exponent >= n;
    return (scientific ? withExponent : positional)(signOf(x), digits, exponent);
  };

  /** A constant of a program: whole numbers as they are, others to six digits. */
  const constantText = (x, whole = false) => {
    if (whole) return String(x);
    const exact = repr(x);
    return exact.length <= 8 ? exact : general(x, 6);
  };

  /** A weight, or an adjoint, in a few characters; what is no number tells itself. */
  const weightText = (x) => (typeof x === "number" ? general(x, 4) : String(x));

  /** A count in groups of three digits; past 60 digits its magnitude. */
  const spaced = (count) => {
    const digits = String(count);
    if (digits.length <= 60) return digits.replace(/\B(?=(\d{3})+$)/g, " ");
    const rounded = String((BigInt(digits.slice(0, 6)) + 5n) / 10n);
    const exponent = digits.length - 1 + (rounded.length - 5);
    return withExponent("", rounded.slice(0, 5), exponent);
  };

  /** repr(text), cut off after so many characters. */
  const quoted = (text, longest) => {
    const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
    const shown = [...text].map((c) => {
      if (c === quote || c === "\\") return `\\${c}`;
      const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[c];
      if (short || c === " " || !/[\p{C}\p{Z}]/u.test(c)) return short || c;
      const code = c.codePointAt(0).toString(16);
      if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
      return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
    });
    return [...`${quote}${shown.join("")}${quote}`].slice(0, longest).join("");
  };

  Object.assign(TinySpad, { Problem, text: { repr, general, constantText, weightText, spaced, quoted } });
})();
