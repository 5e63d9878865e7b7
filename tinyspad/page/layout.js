// Where the nodes of a layered drawing stand (as tinyspad/layout.py; after Sugiyama, Tagawa & Toda 1981).

const SWEEPS = 24,
  WORK = 1e5;

/** A place [column, height] for each of n nodes, and for every edge {tail, head} its way points from tail to head. */
function layered(n, edges) {
  const column = columns(n, edges);
  const layers = Array.from({ length: max(0, ...column) + 1 }, () => []);
  column.forEach((c, v) => layers[c].push(v));
  const ways = edges.map(({ tail, head }, e) => {
    const bends = [];
    for (let c = column[tail] + 1; c < column[head]; c++) {
      bends.push(`${e}/${c}`);
      layers[c].push(`${e}/${c}`);
    }
    return [tail, ...bends, head];
  });
  const links = ways.flatMap((way) => way.slice(1).map((b, i) => [way[i], b]));
  const beside = new Map(layers.flat().map((v) => [v, { before: [], after: [] }]));
  for (const [a, b] of links) {
    beside.get(a).after.push(b);
    beside.get(b).before.push(a);
  }
  const ordered = uncrossed(layers, links, beside);
  const height = heights(ordered, beside),
    across = new Map();
  ordered.forEach((layer, c) => layer.forEach((v) => across.set(v, c)));
  const place = (v) => [across.get(v), height.get(v)];
  return { places: Array.from({ length: n }, (_, v) => place(v)), ways: ways.map((way) => way.map(place)) };
}

/** As far left as what a node reads allows; then those that read nothing move right, next to their reader. */
function columns(n, edges) {
  const column = new Array(n).fill(0),
    reads = new Array(n).fill(false),
    readers = Array.from({ length: n }, () => []);
  for (const { tail, head } of [...edges].sort((a, b) => a.head - b.head)) {
    column[head] = max(column[head], column[tail] + 1);
    reads[head] = true;
    readers[tail].push(head);
  }
  for (let v = n - 1; v >= 0; v--)
    if (!reads[v] && readers[v].length) column[v] = min(...readers[v].map((r) => column[r])) - 1;
  return column;
}

/** Columns reordered by the mean rank of their neighbours, to and fro; the order with the fewest crossings is kept. */
function uncrossed(layers, links, beside) {
  let best = layers,
    fewest = crossings(layers, links);
  // of long ways through many columns there are many pieces, for which fewer sweeps have to do
  for (let sweep = 0; sweep < SWEEPS && fewest > 0 && sweep * links.length < WORK; sweep++) {
    const forward = sweep % 2 === 0,
      rank = new Map();
    layers.forEach((layer) => layer.forEach((v, i) => rank.set(v, i)));
    const ordered = (forward ? layers : [...layers].reverse()).map((layer) => {
      const mean = new Map(
        layer.map((v) => [
          v,
          average(
            (forward ? beside.get(v).before : beside.get(v).after).map((u) => rank.get(u)),
            rank.get(v)
          )
        ])
      );
      const sorted = [...layer].sort((a, b) => mean.get(a) - mean.get(b));
      sorted.forEach((v, i) => rank.set(v, i));
      return sorted;
    });
    layers = forward ? ordered : ordered.reverse();
    const crossed = crossings(layers, links);
    if (crossed < fewest) [best, fewest] = [layers, crossed];
  }
  return best;
}
const average = (numbers, none) => (numbers.length ? numbers.reduce((a, b) => a + b, 0) / numbers.length : none);

function crossings(layers, links) {
  const place = new Map();
  layers.forEach((layer, c) => layer.forEach((v, i) => place.set(v, [c, i])));
  const between = layers.map(() => []);
  for (const [a, b] of links) between[place.get(a)[0]].push([place.get(a)[1], place.get(b)[1]]);
  let count = 0;
  for (const ends of between) {
    // in the order of their starts, each edge crosses those before it that end below
    const sorted = [];
    for (const [, end] of ends.sort((p, q) => p[0] - q[0] || p[1] - q[1])) {
      let [low, high] = [0, sorted.length];
      while (low < high) {
        const mid = (low + high) >> 1;
        if (sorted[mid] <= end) low = mid + 1;
        else high = mid;
      }
      count += sorted.length - low;
      sorted.splice(low, 0, end);
    }
  }
  return count;
}

/** Each node as near to the mean of its neighbours as its column's order and a distance of one allow. */
function heights(layers, beside) {
  const height = new Map();
  for (const layer of layers) layer.forEach((v, i) => height.set(v, i - (layer.length - 1) / 2));
  for (let sweep = 0; sweep < SWEEPS; sweep++)
    for (const layer of sweep % 2 ? layers : [...layers].reverse()) {
      const wish = layer.map((v) =>
        average(
          [...beside.get(v).before, ...beside.get(v).after].map((u) => height.get(u)),
          height.get(v)
        )
      );
      spread(wish).forEach((h, i) => height.set(layer[i], h));
    }
  return height;
}

/** The nearest heights (least squares) at least one apart in this order: pool adjacent violators. */
function spread(wish) {
  const pools = [];
  wish.forEach((w, i) => {
    pools.push([w - i, 1]);
    while (pools.length > 1 && pools.at(-2)[0] > pools.at(-1)[0]) {
      const [m1, n1] = pools.pop(),
        [m0, n0] = pools.pop();
      pools.push([(m0 * n0 + m1 * n1) / (n0 + n1), n0 + n1]);
    }
  });
  return pools.flatMap(([m, n]) => new Array(n).fill(m)).map((m, i) => m + i);
}

/**
 * A place for a text box (half width, half height) on a line of points, off the boxes that are taken and the lines of
 * others: about the middle of its first piece, or where it collides least.
 */
function freePlace(line, half, boxes, others) {
  const pieces = line.slice(1, 3).map((b, i) => [line[i], b]);
  let best = null,
    least = Infinity;
  for (const [k, [a, b]] of pieces.entries()) {
    if (least < 1) break;
    for (const t of [0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78]) {
      const at = [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
      let cost = k * 0.2 + abs(t - 0.5);
      for (const [x, y, w, h] of boxes) {
        const deep = min(half[0] + w - abs(at[0] - x), half[1] + h - abs(at[1] - y));
        if (deep > 7) cost += 10 + deep;
      }
      for (const other of others) if (other !== line && meets(other, at, half)) cost += 6;
      if (cost < least) [best, least] = [at, cost];
      if (least < 1) break;
    }
  }
  return { at: best, crowded: least > 10 };
}

/** Whether a line of points passes through a box. */
function meets(line, [x, y], [w, h]) {
  for (let i = 1; i < line.length; i++) {
    const [ax, ay] = line[i - 1],
      [bx, by] = line[i];
    if (Math.max(ax, bx) < x - w || Math.min(ax, bx) > x + w) continue;
    let from = 0,
      to = 1;
    for (const [start, along, low, high] of [
      [ax, bx - ax, x - w, x + w],
      [ay, by - ay, y - h, y + h]
    ]) {
      if (abs(along) < 1e-9) {
        if (start < low || start > high) to = -1;
        continue;
      }
      const s = [(low - start) / along, (high - start) / along].sort((p, q) => p - q);
      from = max(from, s[0]);
      to = min(to, s[1]);
    }
    if (from < to) return true;
  }
  return false;
}
