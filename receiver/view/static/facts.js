// Facts: all numbers of one camera, beside its large picture.

import { Charts, FLOW, LOSSES, STAGES, newest } from "./charts.js";
import { mark, repeat, say } from "./parts.js";
import { count, json, milliseconds, rate } from "./words.js";

const SPAN = 300;
const COUNTS = [
  "received", "processed", "superseded", "failed", "waiting", "duplicate", "refused", "viewers",
];
const BAD = new Set(["failed", "refused"]);
const PERCENTILES = ["p50", "p95", "p99"];
const MEASURED = ["queue", "decode", "hook", "total"];

export class Facts {
  #parts;
  #charts;
  #shown = "";

  constructor(parts) {
    this.#parts = parts;
    this.#charts = new Charts(parts, SPAN);
  }

  set name(name) {
    const base = `cameras/${encodeURIComponent(name)}`;
    const { stream, frame, json: facts } = this.#parts;
    stream.href = `${base}/stream.mjpg`;
    frame.href = `${base}/frame.jpg`;
    facts.href = base;
  }

  show(facts, columns, now) {
    const parts = this.#parts;
    const [flow, latency, loss] = this.#charts.draw(columns, now);
    say(parts["flow-most"], rate(flow));
    say(parts["latency-most"], milliseconds(latency));
    say(parts["loss-most"], rate(loss));
    legend(parts["flow-legend"], FLOW, columns, rate);
    legend(parts["latency-legend"], STAGES, columns, milliseconds);
    legend(parts["loss-legend"], LOSSES, columns, rate);
    pairs(parts.counts, COUNTS.map((name) => [name, count(facts[name] ?? 0), BAD.has(name) && facts[name] > 0]));
    pairs(parts.vital, [
      ["frame", facts.width ? `${facts.width}×${facts.height}` : "–"],
      ["number", facts.seq === null ? "–" : count(facts.seq)],
      ["epoch", facts.epoch || "–"],
    ]);
    this.#showLatency(facts.latency ?? {});
    this.#showResult(facts);
  }

  #showLatency(latency) {
    this.#parts.latency.hidden = !latency.total;
    repeat(this.#parts.percentiles, MEASURED, row, (line, stage) => {
      say(line.children[0], stage);
      PERCENTILES.forEach((p, n) => say(line.children[n + 1], milliseconds(latency[stage]?.[p])));
    });
  }

  #showResult(facts) {
    const parts = this.#parts;
    parts.result.hidden = !facts.result_state;
    const shown = `${facts.camera} ${facts.epoch} ${facts.result_seq}`;
    if (!facts.result_state || shown === this.#shown) return;
    this.#shown = shown;
    const failed = facts.result_state === "failed";
    say(parts["result-title"], `${failed ? "Hook failed" : "Newest result"} · frame ${facts.result_seq}`);
    say(parts["result-text"], failed ? facts.result_error ?? "" : json(facts.result));
    parts.result.classList.toggle("bad", failed);
  }
}

function legend(list, series, columns, words) {
  repeat(list, series, entry, (item, [key, name]) => {
    mark(item, "data-series", name);
    say(item.children[0], name);
    say(item.children[1], words(newest(columns, key)));
  });
}

function pairs(list, told) {
  repeat(list, told, pair, (item, [name, value, bad]) => {
    say(item.children[0], name);
    say(item.children[1], value);
    item.children[1].title = value;
    item.children[1].classList.toggle("bad", bad === true);
  });
}

function make(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

const entry = () => make("li", make("span"), make("b"));
const pair = () => make("div", make("dt"), make("dd"));

function row() {
  const title = make("th");
  title.scope = "row";
  return make("tr", title, ...PERCENTILES.map(() => make("td")));
}
