// Log: the newest lines that hooks printed and what the receiver says of them, as they come.

import { Refused } from "./access.js";
import { mark, say } from "./parts.js";
import { clock } from "./words.js";

const PERIOD = 1500;
const KEPT = 500;

export class Log {
  #access;
  #parts;
  #open = false;
  #after = null;
  #asking = false;
  #timer = null;

  constructor(parts, access) {
    this.#parts = parts;
    this.#access = access;
    parts["log-hook"].addEventListener("change", () => this.#begin());
  }

  set open(wanted) {
    if (wanted === this.#open) return;
    this.#open = wanted;
    clearTimeout(this.#timer);
    if (wanted) this.#ask();
  }

  // The hooks to choose from.
  set hooks(names) {
    const select = this.#parts["log-hook"];
    const known = [...select.options].slice(1).map((option) => option.value);
    if (known.join("\n") === names.join("\n")) return;
    const chosen = select.value;
    select.length = 1;
    for (const name of names) select.add(new Option(name, name));
    select.value = names.includes(chosen) ? chosen : "";
    this.#begin();
  }

  #begin() {
    this.#after = null;
    this.#parts.log.replaceChildren();
    if (this.#open) this.#ask();
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    clearTimeout(this.#timer);
    const hook = this.#parts["log-hook"].value;
    const query = new URLSearchParams({ lines: 200 });
    if (hook) query.set("hook", hook);
    if (this.#after !== null) query.set("after", this.#after);
    try {
      // Who gave no token is not asked for it each time.
      if (!document.hidden && this.#access.may("view")) {
        const answer = await this.#access.json(`hooks/log?${query}`, { cache: "no-store" });
        if (hook === this.#parts["log-hook"].value) this.#show(answer);
      }
    } catch (error) {
      // The next time may do; that there is no connection is said elsewhere.
      if (error instanceof Refused && error.status === 404) this.#parts["log-box"].hidden = true;
    } finally {
      this.#asking = false;
      if (this.#open) this.#timer = setTimeout(() => this.#ask(), PERIOD);
    }
  }

  #show({ lines, next }) {
    const { log } = this.#parts;
    this.#parts["log-box"].hidden = false;
    // Another receiver counts anew.
    if (this.#after !== null && next < this.#after) log.replaceChildren();
    this.#after = next;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 20;
    log.append(...lines.map(entry));
    while (log.children.length > KEPT) log.firstElementChild.remove();
    if (atEnd && lines.length) log.scrollTop = log.scrollHeight;
    mark(log, "data-empty", log.children.length === 0);
  }
}

function entry({ at, worker, line }) {
  const item = document.createElement("div");
  const about = document.createElement("span");
  say(about, `${clock(at)} ${worker ?? ""} `);
  item.append(about, line);
  return item;
}
