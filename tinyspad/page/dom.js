// Elements, and numbers as one says them.

const { abs, max, min, hypot, round, floor } = Math,
  finite = Number.isFinite;
const byId = (id) => document.getElementById(id);
const SPACE = { svg: document.querySelector("svg").namespaceURI, math: null };
SPACE.math = SPACE.svg.replace("2000/svg", "1998/Math/MathML");

/** What is done at events of these kinds; an attribute. */
const on = (node, kinds, act) => kinds.split(" ").forEach((kind) => node.addEventListener(kind, act));
const set = (node, name, value) => node.setAttribute(name, value);
const watch = (box, act) => new ResizeObserver(act).observe(box);

/** An element with attributes (on...: listeners, color: what --c is) and children; text is text, never markup. */
function element(space, tag, attributes = {}, ...children) {
  const made = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false || name === "color") continue;
    if (name.startsWith("on")) on(made, name.slice(2), value);
    else set(made, name, value === true ? "" : value);
  }
  if (attributes.color) made.style.setProperty("--c", attributes.color);
  made.append(...children.filter((child) => child !== null));
  return made;
}
const el = (tag, attributes, ...children) => element(null, tag, attributes, ...children);
/** A button with what it does. */
const press = (text, onclick, more) => el("button", { type: "button", onclick, ...more }, text);
/** A way through points. */
const wayOf = (points) => `M${points.map((p) => p.map((x) => x.toFixed(1))).join("L")}`;
/** One comes to it by the keyboard where there is more of it than one sees. */
const reached = (box) => {
  box.tabIndex = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1 ? 0 : -1;
};
const svg = (tag, attributes, ...children) => element(SPACE.svg, tag, attributes, ...children);
/** A line, and a text; where a number is not finite, there is nothing to see. */
const placed = (at) => (Object.values(at).every(finite) ? at : { display: "none" });
const line = (kind, x1, y1, x2, y2, more = {}) => svg("line", { class: kind, ...placed({ x1, y1, x2, y2 }), ...more });
const label = (kind, x, y, text, anchor = "middle") =>
  svg("text", { class: kind, ...placed({ x, y }), "text-anchor": anchor }, text);
const math = (tag, attributes, ...children) => element(SPACE.math, tag, attributes, ...children);

/** The same text is not written again: a reader who listens is told once. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Four significant digits, a true minus: −67.21, 12 345, 4.2e29. */
function short(x, digits = 4) {
  if (typeof x === "bigint") return x < 10n ** 12n ? spaced(String(x)) : short(Number(x), 2);
  if (!finite(x)) return Number.isNaN(x) ? "not a number" : x > 0 ? "∞" : "−∞";
  const size = abs(x);
  let text;
  if (size !== 0 && (size < 1e-3 || size >= (digits < 4 ? 1e4 : 1e6))) {
    const [mantissa, power] = x.toExponential(digits - 1).split("e");
    text = `${Number(mantissa)}e${Number(power)}`;
  } else text = size >= 1000 ? spaced(String(round(x))) : String(Number(x.toPrecision(digits)));
  return text.replace(/-/g, "−");
}
const spaced = (text) => (text.length > 4 + text.startsWith("-") ? text.replace(/\B(?=(\d{3})+$)/g, "\u202f") : text);
const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);
const many = (n, word) => `${short(typeof n === "bigint" ? n : BigInt(n))} ${word}${String(n) === "1" ? "" : "s"}`;

/** a, b and c */
const listed = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
/** The first and last of many. */
const middle = (items, most = 9) =>
  items.length <= most ? items : [...items.slice(0, most - 4), "…", ...items.slice(-3)];

/** Numbers for an axis: some 5 between the ends, of one, two or five times a power of ten. */
function ticks(low, high, about = 5) {
  const raw = (high - low) / about,
    ten = 10 ** floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((s) => s * ten >= raw) * ten;
  if (!(step > 0) || !finite(step)) return [];
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high && found.length < 20; k++)
    found.push(Number((k * step).toPrecision(12)));
  return found;
}
const clamp = (x, low, high) => min(max(x, low), high);
const term = (k) => `var(--t${((k % 8) + 8) % 8})`;
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
