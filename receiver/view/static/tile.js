// Tile: all that the page shows of one camera.

import { Picture } from "./picture.js";
import { count, duration, json, milliseconds, say } from "./words.js";

const COUNTS = [
  "received", "processed", "superseded", "failed", "waiting", "duplicate", "refused", "viewers",
];
const BAD = new Set(["failed", "refused"]);
const STAGES = ["queue", "decode", "hook", "total"];
const PERCENTILES = ["p50", "p95"];

export class Tile {
  #base;
  #parts = {};
  #counts = {};
  #cells = {};
  #picture;
  #trouble = "";

  constructor(name) {
    const template = document.getElementById("tile");
    this.element = template.content.firstElementChild.cloneNode(true);
    for (const part of this.element.querySelectorAll("[data-is]")) {
      this.#parts[part.dataset.is] = part;
    }
    this.#base = `cameras/${encodeURIComponent(name)}`;
    say(this.#parts.name, name);
    this.#parts.name.title = name;
    this.#parts.canvas.setAttribute("aria-label", `Newest picture of ${name}`);
    this.#parts.json.href = this.#base;
    this.#makeCounts();
    this.#makeLatency();
    this.#picture = new Picture(this.#parts.canvas, `${this.#base}/frame.jpg`);
    this.#picture.onTrouble = (sentence) => {
      this.#trouble = sentence;
    };
    for (const radio of this.#parts.switch.querySelectorAll("input")) {
      radio.name = `view-${name}`;
      radio.addEventListener("change", () => this.#choose(radio.value));
    }
    this.#choose("annotated");
  }

  // `camera` is what GET /cameras says of it.
  show(camera) {
    const parts = this.#parts;
    this.element.dataset.state = camera.state;
    parts.state.dataset.state = camera.state;
    say(parts.state, camera.state);
    say(parts.fps, camera.fps.toFixed(1));
    say(parts.age, camera.age_seconds < 1 ? "now" : `${duration(camera.age_seconds)} ago`);
    say(parts.size, camera.width ? `${camera.width}×${camera.height}` : "–");
    const typical = camera.latency?.total?.p50;
    say(parts.typical, typical === undefined ? "–" : `${milliseconds(typical)} ms`);
    this.#picture.width = camera.width ?? 0;
    this.#showOver(camera);
    for (const name of COUNTS) {
      const value = camera[name] ?? 0;
      say(this.#counts[name], count(value));
      this.#counts[name].classList.toggle("bad", BAD.has(name) && value > 0);
    }
    this.#showLatency(camera.latency ?? {});
    this.#showResult(camera);
  }

  // Nothing is known while the receiver does not answer.
  lose() {
    this.element.dataset.state = "unknown";
    this.#parts.state.dataset.state = "unknown";
    say(this.#parts.state, "unknown");
  }

  remove() {
    this.#picture.end();
    this.element.remove();
  }

  #choose(view) {
    this.#picture.view = view;
    this.#parts.stream.href = `${this.#base}/stream.mjpg?view=${view}`;
    this.#parts.frame.href = `${this.#base}/frame.jpg?view=${view}`;
  }

  #makeCounts() {
    for (const name of COUNTS) {
      const pair = document.createElement("div");
      const term = document.createElement("dt");
      const value = document.createElement("dd");
      term.textContent = name;
      pair.append(term, value);
      this.#parts.counts.append(pair);
      this.#counts[name] = value;
    }
  }

  #makeLatency() {
    const [head] = this.#parts.latency.tHead.rows;
    for (const stage of STAGES) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = stage;
      head.append(cell);
    }
    for (const percentile of PERCENTILES) {
      const row = this.#parts.latency.tBodies[0].insertRow();
      const title = document.createElement("th");
      title.scope = "row";
      title.textContent = percentile;
      row.append(title);
      for (const stage of STAGES) this.#cells[stage + percentile] = row.insertCell();
    }
  }

  #showOver(camera) {
    const over = this.#parts.over;
    const late = camera.state !== "live";
    const text = late ? `no frame for ${duration(camera.age_seconds)}` : this.#trouble;
    say(over, text);
    over.hidden = !text;
  }

  #showLatency(latency) {
    this.#parts.latency.hidden = !latency.total;
    for (const stage of STAGES) {
      for (const percentile of PERCENTILES) {
        const ms = latency[stage]?.[percentile];
        say(this.#cells[stage + percentile], ms === undefined ? "–" : milliseconds(ms));
      }
    }
  }

  #showResult(camera) {
    const parts = this.#parts;
    const none = camera.result_state === null || camera.result_state === undefined;
    const failed = camera.result_state === "failed";
    parts.switch.hidden = none;
    parts["result-box"].hidden = none;
    if (none) return;
    say(parts["result-title"], `${failed ? "hook failed" : "result"} · frame ${camera.result_seq}`);
    say(parts.result, failed ? camera.result_error ?? "" : json(camera.result));
    parts["result-box"].classList.toggle("bad", failed);
  }
}
