// Panel: the side of the page with its tabs; one of them is open, or none.

import { mark } from "./parts.js";

export class Panel {
  #aside;
  #tabs;
  // Told the name of the tab that is open, "" for none.
  onOpen = () => {};

  // Every button that names a part in its aria-controls is a tab.
  constructor(aside, list) {
    this.#aside = aside;
    this.#tabs = [...list.querySelectorAll("[aria-controls]")];
    for (const tab of this.#tabs) {
      tab.addEventListener("click", () => {
        this.open(this.opened === tab.dataset.tab ? "" : tab.dataset.tab);
      });
    }
  }

  get opened() {
    return this.#tabs.find((tab) => tab.getAttribute("aria-expanded") === "true")?.dataset.tab ?? "";
  }

  open(name) {
    for (const tab of this.#tabs) {
      const open = tab.dataset.tab === name && !tab.hidden;
      mark(tab, "aria-expanded", open);
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !open;
    }
    this.#aside.hidden = this.opened === "";
    this.onOpen(this.opened);
  }

  // A tab for which there is nothing is not offered.
  offer(name, wanted) {
    const tab = this.#tabs.find((each) => each.dataset.tab === name);
    if (tab.hidden === !wanted) return;
    tab.hidden = !wanted;
    if (!wanted && this.opened === name) this.open("");
  }
}
