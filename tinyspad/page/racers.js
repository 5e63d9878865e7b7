// The estimators that race: what each is called, its colour, dashes and mark.

const MARKS = {
  circle: "M-4.6 0a4.6 4.6 0 1 0 9.2 0a4.6 4.6 0 1 0 -9.2 0Z",
  square: "M-4 -4H4V4H-4Z",
  diamond: "M0 -5.6L5.6 0L0 5.6L-5.6 0Z",
  up: "M0 -5.4L5 4H-5Z",
  down: "M0 5.4L5 -4H-5Z",
  cross: "M-4.5 -4.5L4.5 4.5M4.5 -4.5L-4.5 4.5",
  plus: "M0 -5.6V5.6M-5.6 0H5.6"
};
const RACERS = [
  ["GD", "GD, all paths", "--gd", "", "circle", "the sum over all paths: the gradient"],
  ["RAD", "RAD, a fresh draw", "--rad", "2 2", "square", "one random path, another for every step"],
  ["RAD, held", "RAD, held", "--held", "7 2 2 2", "diamond", "one random path, kept for some steps"],
  ["SPAD", "SPAD, largest held", "--spad", "7 3", "up", "the path of the largest product, kept for some steps"],
  ["Magnitude", "Magnitude", "--magnitude", "5 2", "down", "a large path more often, divided by its chance"],
  [0, "path 0 alone", "--g1", "1.5 2.5", "cross", "always the first path"],
  [1, "path 1 alone", "--g2", "4 3", "plus", "always the second path"]
].map(([key, label, color, dash, mark, title]) => ({
  key,
  label,
  title,
  css: color,
  color: `var(${color})`,
  dash,
  mark,
  on: ["GD", "RAD", "RAD, held"].includes(key)
}));
