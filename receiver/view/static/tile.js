// Tile: one camera on the wall: its picture, its state and its last minutes.

import { Charts, LOSSES, STAGES, newest, total } from "./charts.js";
import { judge } from "./freshness.js";
import { copyOf, mark, say } from "./parts.js";
import { Screen } from "./screen.js";
import { ago, milliseconds, rate } from "./words.js";

const SPAN = 120;
const BAD = new Set(["failed", "refused"]);

export class Tile {
  #parts;
  #charts;
  #facts = null;
  #heard = 0;
  #counted = { at: performance.now(), painted: 0, rate: null };
  visible = false;

  constructor(name, onOpen) {
    [this.element, this.#parts] = copyOf("tile");
    this.name = name;
    say(this.#parts.open, name);
    this.#parts.open.addEventListener("click", () => onOpen(this));
    mark(this.#parts.canvas, "aria-label", `Newest picture of ${name}`);
    this.screen = new Screen(this.#parts.picture);
    this.screen.onShow = () => this.judge(true);
    this.#charts = new Charts(this.#parts, SPAN);
  }

  get width() {
    return this.#parts.picture.clientWidth;
  }

  // The camera's own frames, to ask for no more than there is.
  get frameWidth() {
    return this.#facts?.width ?? null;
  }

  // `facts` is what GET /cameras says, `columns` the camera's history.
  show(facts, columns, now) {
    this.#facts = facts;
    this.#heard = performance.now();
    this.judge(true);
    if (!this.visible) return;
    const parts = this.#parts;
    say(parts.in, rate(newest(columns, "received") ?? facts.fps));
    say(parts.processed, rate(newest(columns, "processed")));
    say(parts.shown, rate(this.#painted()));
    const latency = total(columns, STAGES);
    say(parts.latency, milliseconds(latency ?? facts.latency?.total?.p50));
    const lost = total(columns, LOSSES);
    say(parts.loss, lost === null ? "–" : `${rate(lost)}/s`);
    const bad = LOSSES.some(([key, why]) => BAD.has(why) && newest(columns, key) > 0);
    parts.loss.classList.toggle("bad", bad);
    this.#showFailure(facts);
    this.#charts.draw(columns, now);
  }

  // Says what may be said of the picture at this moment.
  judge(alive) {
    if (this.#facts === null) return;
    const parts = this.#parts;
    const word = judge(this.#facts, this.#heard, this.screen, alive, performance.now());
    mark(this.element, "data-state", word.state);
    mark(parts.state, "data-state", word.state);
    say(parts.state, word.word);
    say(parts.age, ago(word.age));
    say(parts.over, word.over);
    parts.over.hidden = !word.over;
  }

  focus() {
    this.#parts.open.focus();
  }

  remove() {
    this.screen.end();
    this.element.remove();
  }

  // The pictures that this page painted in about the last second.
  #painted() {
    const now = performance.now();
    const { at, painted } = this.#counted;
    if (now - at > 900) {
      const rate = ((this.screen.painted - painted) * 1000) / (now - at);
      this.#counted = { at: now, painted: this.screen.painted, rate };
    }
    return this.#counted.rate;
  }

  #showFailure(facts) {
    const failed = facts.result_state === "failed";
    say(this.#parts.failure, failed ? `hook failed: ${facts.result_error ?? "no reason given"}` : "");
    this.#parts.failure.hidden = !failed;
  }
}
