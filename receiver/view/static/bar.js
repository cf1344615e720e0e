// Bar: the top of the page: what there is in short, how it is shown, and what is wrong.

import { Refused } from "./access.js";
import { press } from "./keys.js";
import { mark, partsOf, say } from "./parts.js";
import { plural } from "./words.js";

const STATES = ["live", "frozen", "stale", "gone"];

export class Bar {
  #choices;
  #access;
  #parts = {};
  onOverlay = () => {};
  onView = () => {};
  onSize = () => {};
  onRetry = () => {};

  constructor(choices, access) {
    this.#choices = choices;
    this.#access = access;
    const parts = this.#parts;
    for (const id of ["bar", "trouble", "empty"]) Object.assign(parts, partsOf(document.getElementById(id)));
    parts["wall-view"].addEventListener("change", () => this.#choose("view", parts["wall-view"].value, this.onView));
    parts["wall-fps"].addEventListener("change", () => this.#choose("fps", parts["wall-fps"].value, this.onView));
    parts["wall-size"].addEventListener("change", () => this.#choose("size", parts["wall-size"].value, this.onSize));
    const draw = () => this.onOverlay(parts["wall-overlay"].getAttribute("aria-pressed") !== "true");
    const help = () => document.getElementById("help").showModal();
    parts["wall-overlay"].addEventListener("click", draw);
    parts.help.addEventListener("click", help);
    for (const button of document.querySelectorAll("[data-close]")) {
      button.addEventListener("click", () => button.closest("dialog").close());
    }
    parts.forget.addEventListener("click", () => {
      access.forget();
      this.onRetry();
    });
    parts.retry.addEventListener("click", () => this.onRetry());
    document.addEventListener("keydown", (event) => press(event, { o: draw, "?": help }));
    access.onChange = () => {
      parts.forget.hidden = !access.token;
    };
  }

  // Shows what was chosen the last time.
  open() {
    const parts = this.#parts;
    for (const name of ["view", "fps", "size"]) {
      const select = parts[`wall-${name}`];
      select.value = this.#choices.get(name);
      if (select.selectedIndex < 0) select.selectedIndex = 0;
    }
    this.onSize(parts["wall-size"].value);
    const base = new URL(".", location.href).href.replace(/\/$/, "");
    say(parts.curl, `curl --data-binary @picture.jpg -H 'Content-Type: image/jpeg' ${base}/cameras/cam1/frames`);
    say(parts.sender, `python -m sender --camera cam1 --source testsrc --to ${base}`);
  }

  set overlay(wanted) {
    mark(this.#parts["wall-overlay"], "aria-pressed", wanted);
  }

  // What GET /cameras and GET /hooks say.
  show(cameras, workers) {
    const words = [plural(cameras.length, "camera")];
    for (const state of STATES) {
      const n = cameras.filter((camera) => camera.state === state).length;
      if (n && (n < cameras.length || state !== "live")) words.push(`${n} ${state}`);
    }
    const fps = cameras.reduce((sum, camera) => sum + camera.fps, 0);
    if (cameras.length) words.push(`${fps.toFixed(1)} fps`);
    const down = workers.filter((worker) => !["ready", "busy"].includes(worker.state)).length;
    if (down) words.push(`${plural(down, "hook worker")} not running`);
    say(this.#parts.summary, words.join(" · "));
    this.#parts.empty.hidden = cameras.length > 0;
    const unwell = cameras.length - cameras.filter((camera) => camera.state === "live").length;
    document.title = unwell ? `(${unwell}) Framepost` : "Framepost";
  }

  connected() {
    this.#say("live", "connected", "");
  }

  lost(sentence = "Nothing came from the receiver for 3 s; what this page shows is old.", error = null) {
    this.#say("gone", "no connection", sentence);
    this.#parts.retry.hidden = !(error instanceof Refused && error.final);
  }

  #say(state, word, sentence) {
    const { link, trouble, sentence: words } = this.#parts;
    mark(link, "data-state", state);
    say(link, word);
    say(words, sentence);
    trouble.hidden = !sentence;
  }

  #choose(name, value, tell) {
    this.#choices.set(name, value);
    tell(value);
  }
}
