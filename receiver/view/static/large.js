// Large: one camera in a dialog that fills the window: its pictures, controls and all its numbers.

import { Facts } from "./facts.js";
import { judge } from "./freshness.js";
import { press } from "./keys.js";
import { Panes } from "./panes.js";
import { mark, partsOf, say } from "./parts.js";
import { save } from "./snapshot.js";
import { clock, duration } from "./words.js";

export class Large {
  #dialog;
  #parts;
  #panes;
  #numbers;
  #facts = null;
  #heard = 0;
  name = null;
  // Another camera is shown (by its name), or the same in another way; null when it was closed.
  onChange = () => {};
  // Asked for the camera so many places further on.
  onStep = () => {};
  onOverlay = () => {};

  constructor(dialog) {
    this.#dialog = dialog;
    const parts = (this.#parts = partsOf(dialog));
    const { raw, annotated } = parts;
    this.#panes = new Panes({ raw, annotated }, () => this.judge(true));
    this.#numbers = new Facts(partsOf(parts.facts));
    const acts = {
      pause: () => this.#pause(!this.#panes.held),
      snapshot: () => this.#save(),
      overlay: () => this.onOverlay(parts.overlay.getAttribute("aria-pressed") !== "true"),
      full: () => this.#fill(),
      previous: () => this.onStep(-1),
      next: () => this.onStep(1),
      close: () => dialog.close(),
    };
    for (const [part, act] of Object.entries(acts)) parts[part].addEventListener("click", act);
    for (const radio of parts.view.querySelectorAll("input")) {
      radio.addEventListener("change", () => this.#choose(radio.value));
    }
    for (const select of [parts.fps, parts.quality]) select.addEventListener("change", () => this.#ask());
    dialog.addEventListener("close", () => this.#closed());
    dialog.addEventListener("keydown", (event) => press(event, {
      " ": acts.pause, s: acts.snapshot, o: acts.overlay, f: acts.full,
      v: () => this.#choose(this.#panes.next),
      ArrowLeft: acts.previous, ArrowRight: acts.next,
    }));
  }

  get wish() {
    const box = this.#parts.stage.getBoundingClientRect();
    const width = Math.ceil((box.width * Math.min(devicePixelRatio, 2)) / 160) * 160;
    const { fps, quality } = this.#parts;
    return { views: this.#panes.views, width, fps: fps.value, quality: quality.value };
  }

  get open() {
    return this.name !== null;
  }

  set overlay(wanted) {
    this.#panes.overlay = wanted;
    mark(this.#parts.overlay, "aria-pressed", wanted);
  }

  show(name) {
    this.name = name;
    this.#facts = null;
    this.#panes.camera = name;
    say(this.#parts.name, name);
    this.#numbers.name = name;
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#ask();
  }

  offer(head, body) {
    if (head.camera === this.name) this.#panes.offer(head, body);
  }

  update(facts, columns, now) {
    this.#facts = facts;
    this.#heard = performance.now();
    this.judge(true);
    this.#numbers.show(facts, columns, now);
  }

  judge(alive) {
    if (!this.open || this.#facts === null) return;
    const parts = this.#parts;
    const now = performance.now();
    const worst = this.#panes.oldest(now);
    let word = judge(this.#facts, this.#heard, worst, alive, now);
    if (this.#panes.held && worst.head) {
      const over = `paused · picture of ${clock(worst.head.captured_at, 1)}, ${duration(worst.age(now))} ago`;
      word = { state: "paused", word: "paused", over };
    }
    mark(this.#dialog, "data-state", word.state);
    mark(parts.state, "data-state", word.state);
    say(parts.state, word.word);
    say(parts.over, word.over);
    parts.over.hidden = !word.over;
    const head = worst.head;
    say(parts.moment, head ? `${clock(head.captured_at, 2)} · frame ${head.seq}` : "");
  }

  #choose(view) {
    this.#panes.view = view;
    for (const radio of this.#parts.view.querySelectorAll("input")) radio.checked = radio.value === view;
    this.#ask();
  }

  // A picture that stood still is asked for anew.
  #ask() {
    this.#pause(false);
    this.onChange(this.name);
  }

  #pause(wanted) {
    this.#panes.held = wanted;
    mark(this.#parts.pause, "aria-pressed", wanted);
    this.judge(true);
  }

  #save() {
    const screens = this.#panes.screens.filter((screen) => screen.head);
    if (screens.length) save(screens);
  }

  #fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.#parts.body.requestFullscreen().catch(() => {});
  }

  #closed() {
    this.name = this.#facts = null;
    this.#panes.clear();
    this.onChange(null);
  }
}
