// Chart: the last minutes of some numbers, as lines or stacked areas, and the same in words.

import { mark } from "./parts.js";

const WIDTH = 240;
const HEIGHT = 40;

export class Chart {
  #svg;
  #told;
  #paths;

  // `told`: title, series as [column, name], `stacked`, `span` in seconds, `least` that fills the
  // height, and `unit`, which makes words of a number.
  constructor(svg, told) {
    this.#svg = svg;
    this.#told = told;
    mark(svg, "viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    mark(svg, "preserveAspectRatio", "none");
    mark(svg, "role", "img");
    mark(svg, "aria-label", told.title);
    this.#paths = told.series.map(([, name]) => {
      const path = document.createElementNS(svg.namespaceURI, "path");
      mark(path, "class", `series ${told.stacked ? "area" : "line"}`);
      mark(path, "data-series", name);
      svg.append(path);
      return path;
    });
  }

  // `columns` are those of History; `now` is Unix seconds by the receiver's clock.
  draw(columns, now) {
    const { series, span, least, stacked } = this.#told;
    const first = columns.at.findIndex((at) => at > now - span);
    const at = first < 0 ? [] : columns.at.slice(first);
    const values = series.map(([key]) => (columns[key] ?? []).slice(-at.length || Infinity));
    const tops = stacked ? stack(values) : values;
    const most = Math.max(least, ...tops.flat());
    const x = (n) => (WIDTH * (1 - (now - at[n]) / span)).toFixed(1);
    const y = (value) => (HEIGHT - 1 - (value / most) * (HEIGHT - 3)).toFixed(1);
    this.#paths.forEach((path, s) => {
      const under = stacked ? tops[s - 1] : null;
      const seen = !stacked || values[s].some((value) => value > 0);
      mark(path, "d", seen ? runs(tops[s]).map((run) => outline(run, tops[s], under, x, y, stacked)).join("") : "");
    });
    mark(this.#svg, "aria-label", this.#words(values, at.length));
    return most;
  }

  #words(values, length) {
    const { title, series, unit } = this.#told;
    const words = series.map(([, name], s) => {
      const known = values[s].filter((value) => value !== null);
      if (!known.length) return null;
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
      return `${name} now ${unit(known.at(-1))}, mean ${unit(mean)}, most ${unit(Math.max(...known))}`;
    });
    const told = words.filter(Boolean).join("; ");
    return `${title}, last ${length} seconds: ${told || "nothing known"}`;
  }
}

// Where all parts are unknown the sum is; elsewhere an unknown part counts as none.
function stack(values) {
  const length = Math.max(0, ...values.map((column) => column.length));
  const tops = values.map(() => []);
  for (let n = 0; n < length; n += 1) {
    let sum = values.some((column) => (column[n] ?? null) !== null) ? 0 : null;
    values.forEach((column, s) => {
      if (sum !== null) sum += column[n] ?? 0;
      tops[s].push(sum);
    });
  }
  return tops;
}

// The stretches in which something is known, as [first, behind the last].
function runs(column) {
  const found = [];
  let first = -1;
  for (let n = 0; n <= column.length; n += 1) {
    const known = (column[n] ?? null) !== null;
    if (known && first < 0) first = n;
    if (!known && first >= 0) {
      found.push([first, n]);
      first = -1;
    }
  }
  return found;
}

function outline([first, end], top, under, x, y, closed) {
  let path = "";
  for (let n = first; n < end; n += 1) path += `${n === first ? "M" : "L"}${x(n)} ${y(top[n])}`;
  if (!closed) return path;
  for (let n = end - 1; n >= first; n -= 1) path += `L${x(n)} ${y(under?.[n] ?? 0)}`;
  return `${path}Z`;
}
