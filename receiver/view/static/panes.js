// Panes: the raw and the annotated picture of one camera, either of them or side by side.

import { mark } from "./parts.js";
import { Screen } from "./screen.js";

const VIEWS = { raw: ["raw"], annotated: ["annotated"], both: ["raw", "annotated"] };
const NEXT = { annotated: "raw", raw: "both", both: "annotated" };

export class Panes {
  #elements;
  #screens;
  #view = "annotated";
  held = false;

  // `elements` are the two pictures by view; `onShow` is called for each picture that is shown.
  constructor(elements, onShow) {
    this.#elements = elements;
    this.#screens = { raw: new Screen(elements.raw), annotated: new Screen(elements.annotated) };
    for (const screen of Object.values(this.#screens)) screen.onShow = onShow;
    this.#screens.raw.overlay = false;
  }

  get views() {
    return VIEWS[this.#view];
  }

  get next() {
    return NEXT[this.#view];
  }

  get screens() {
    return this.views.map((view) => this.#screens[view]);
  }

  set view(wanted) {
    this.#view = wanted;
    for (const [view, element] of Object.entries(this.#elements)) element.hidden = !this.views.includes(view);
  }

  set overlay(wanted) {
    this.#screens.annotated.overlay = wanted;
  }

  set camera(name) {
    this.clear();
    for (const [view, element] of Object.entries(this.#elements)) {
      mark(element.querySelector("canvas"), "aria-label", `${view} picture of ${name}`);
    }
  }

  offer(head, body) {
    if (!this.held) this.#screens[head.view]?.offer(head, body);
  }

  // The screen that shows the older picture, or none yet.
  oldest(now) {
    const age = (screen) => screen.age(now) ?? Infinity;
    return this.screens.reduce((a, b) => (age(b) > age(a) ? b : a));
  }

  clear() {
    for (const screen of Object.values(this.#screens)) screen.clear();
  }
}
