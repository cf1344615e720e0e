// Player: shows a recording in a dialog, at its own pace or another, from any place on.

import { Refused } from "./access.js";
import { press } from "./keys.js";
import { mark, partsOf, say } from "./parts.js";
import { recordsOf } from "./records.js";
import { Screen } from "./screen.js";
import { save } from "./snapshot.js";
import { clock, moment, position } from "./words.js";

// Seconds that an arrow goes; milliseconds until a new place is asked for.
const STEP = 5;
const SETTLE = 100;

export class Player {
  #access;
  #dialog;
  #parts;
  #screen;
  #recording = null;
  #playing = null;
  #at = 0;
  #seeking = null;
  onChange = () => {};
  onOverlay = () => {};

  constructor(dialog, access) {
    this.#dialog = dialog;
    this.#access = access;
    const parts = (this.#parts = partsOf(dialog));
    this.#screen = new Screen(parts.picture);
    const acts = {
      play: () => this.#toggle(),
      snapshot: () => this.#screen.head && save([this.#screen]),
      overlay: () => this.onOverlay(parts.overlay.getAttribute("aria-pressed") !== "true"),
      close: () => dialog.close(),
    };
    for (const [part, act] of Object.entries(acts)) parts[part].addEventListener("click", act);
    parts.place.addEventListener("input", () => this.#seek(Number(parts.place.value)));
    parts.speed.addEventListener("change", () => this.#playing && this.#play(this.#at));
    dialog.addEventListener("close", () => this.#closed());
    dialog.addEventListener("keydown", (event) => press(event, {
      " ": acts.play, s: acts.snapshot, o: acts.overlay,
      ArrowLeft: () => this.#seek(this.#at - STEP), ArrowRight: () => this.#seek(this.#at + STEP),
    }));
  }

  get open() {
    return this.#recording !== null;
  }

  set overlay(wanted) {
    this.#screen.overlay = wanted;
    mark(this.#parts.overlay, "aria-pressed", wanted);
  }

  // `recording` is one of what GET /recordings lists.
  show(recording) {
    this.#recording = recording;
    const title = `${recording.camera}, ${moment(recording.started)}`;
    say(this.#parts.name, title);
    mark(this.#parts.canvas, "aria-label", `Recording of ${title}`);
    this.#parts.place.max = recording.seconds;
    this.#screen.clear();
    this.#dialog.showModal();
    this.onChange();
    this.#play(0);
  }

  #toggle() {
    if (this.#playing) this.#stop("paused");
    else this.#play(this.#at >= this.#recording.seconds - 0.1 ? 0 : this.#at);
  }

  // While it is held, the picture of the new place is shown and held.
  #seek(seconds) {
    const place = Math.min(Math.max(0, seconds), this.#recording.seconds);
    const once = this.#playing === null || this.#playing.once;
    this.#move(place);
    // A slider that is drawn along asks once.
    clearTimeout(this.#seeking);
    this.#seeking = setTimeout(() => this.open && this.#play(place, once), SETTLE);
  }

  async #play(from, once = false) {
    this.#playing?.abort();
    const playing = (this.#playing = new AbortController());
    playing.once = once;
    this.#move(from);
    this.#say(once ? "paused" : "playing");
    const { camera, name } = this.#recording;
    const query = new URLSearchParams({ from: from.toFixed(3), speed: this.#parts.speed.value });
    const address = `recordings/${encodeURIComponent(camera)}/${name}/play?${query}`;
    try {
      const answer = await this.#access.request(address, { signal: playing.signal, cache: "no-store" });
      for await (const { head, body } of recordsOf(answer)) {
        if (playing.signal.aborted) return;
        this.#take(head, body);
        if (once && head.kind === "picture") return this.#stop("paused");
      }
      this.#stop("the end");
    } catch (error) {
      if (playing.signal.aborted) return;
      this.#stop(error instanceof Refused ? error.message : "the receiver does not answer");
    }
  }

  #take(head, body) {
    if (head.kind === "recording") this.#parts.place.max = this.#recording.seconds = head.seconds;
    if (head.kind === "picture") this.#screen.offer(head, body);
    if (head.at !== undefined) this.#move(head.at, head);
  }

  #move(seconds, head = null) {
    this.#at = seconds;
    const { place, time, frame } = this.#parts;
    place.value = seconds;
    const words = `${position(seconds)} of ${position(this.#recording.seconds)}`;
    mark(place, "aria-valuetext", words);
    say(time, words);
    if (head?.kind === "picture") say(frame, `${clock(head.captured_at, 2)} · frame ${head.seq}`);
  }

  #stop(word) {
    this.#playing?.abort();
    this.#playing = null;
    this.#say(word);
  }

  #say(word) {
    const { state, play } = this.#parts;
    say(state, word);
    mark(state, "data-state", word === "playing" ? "recorded" : "paused");
    say(play, word === "playing" ? "Pause" : "Play");
  }

  #closed() {
    this.#stop("");
    this.#recording = null;
    this.#screen.clear();
    this.onChange();
  }
}
