// Charts: the three that each camera has, on its tile and, with a legend, in the large view.

import { Chart } from "./chart.js";
import { milliseconds, rate } from "./words.js";

export const FLOW = [["received", "received"], ["processed", "processed"], ["shown", "shown"]];
export const STAGES = ["send", "network", "queue", "decode", "hook"].map((stage) => [`ms.${stage}`, stage]);
export const LOSSES = ["superseded", "failed", "refused", "duplicate"].map((why) => [`lost.${why}`, why]);

export class Charts {
  #charts;

  // `parts` holds the three <svg>; `span` is seconds.
  constructor(parts, span) {
    const perSecond = (value) => `${rate(value)} per second`;
    this.#charts = [
      new Chart(parts["flow-chart"], { title: "Frames per second", series: FLOW, stacked: false, span, least: 5, unit: perSecond }),
      new Chart(parts["latency-chart"], { title: "Latency by stage", series: STAGES, stacked: true, span, least: 10, unit: milliseconds }),
      new Chart(parts["loss-chart"], { title: "Frames not processed, by reason", series: LOSSES, stacked: true, span, least: 5, unit: perSecond }),
    ];
  }

  // Returns the numbers that the three heights stand for.
  draw(columns, now) {
    return this.#charts.map((chart) => chart.draw(columns, now));
  }
}

// The newest value of a column, and the sum of those of several; null where none is known.
export function newest(columns, key) {
  return columns[key]?.at(-1) ?? null;
}

export function total(columns, series) {
  const known = series.map(([key]) => newest(columns, key)).filter((value) => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) : null;
}
