// Choices: how this browser's user wants the page, kept from one visit to the next.

const KEY = "framepost-choices";
const DEFAULTS = { view: "annotated", overlay: true, size: "medium", fps: "auto", panel: "" };

export class Choices {
  #values;

  constructor() {
    let kept = {};
    try {
      kept = JSON.parse(localStorage.getItem(KEY)) ?? {};
    } catch {
      // Storage is refused, or holds what is not ours.
    }
    this.#values = { ...DEFAULTS };
    for (const [name, value] of Object.entries(DEFAULTS)) {
      if (typeof kept[name] === typeof value) this.#values[name] = kept[name];
    }
  }

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    this.#values[name] = value;
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#values));
    } catch {
      // Then it holds for this visit.
    }
  }
}
