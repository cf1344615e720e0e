// Feed: the newest results of all cameras, one line each, the newest on top.

import { copyOf, mark, partsOf, say } from "./parts.js";
import { clock, count, json, plural } from "./words.js";

const KEPT = 1000;
const SHOWN = 100;
// Milliseconds between two looks of the page at what came.
const PERIOD = 250;

export class Feed {
  #parts;
  #results = [];
  #known = new Set();
  #number = 0;
  #newest = 0;
  #held = false;
  #timer = null;
  #missed = 0;

  constructor(box) {
    const parts = (this.#parts = partsOf(box));
    for (const filter of [parts.camera, parts.text, parts.failures]) {
      filter.addEventListener("input", () => this.#show(true));
    }
    // Nothing moves under the pointer, or while a line has the focus.
    const look = () => this.#hold(parts.list.matches(":hover, :focus-within"));
    for (const event of ["pointerenter", "pointerleave", "focusin"]) parts.list.addEventListener(event, look);
    parts.list.addEventListener("focusout", () => setTimeout(look));
  }

  // `result` is a record of that kind.
  add(result) {
    // With each new connection the newest of every camera comes again.
    const name = `${result.camera} ${result.epoch} ${result.seq}`;
    if (this.#known.has(name)) return;
    this.#known.add(name);
    this.#number += 1;
    this.#results.push({ number: this.#number, name, result });
    if (this.#results.length > KEPT) this.#known.delete(this.#results.shift().name);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#show();
    }, PERIOD);
  }

  skip(results) {
    this.#missed += results;
    say(this.#parts.missed, `${count(this.#missed)} results came too fast to be shown`);
    this.#parts.missed.hidden = false;
  }

  // The cameras to choose from.
  set cameras(names) {
    const { camera } = this.#parts;
    const known = [...camera.options].slice(1).map((option) => option.value);
    if (known.join("\n") === names.join("\n")) return;
    const chosen = camera.value;
    camera.length = 1;
    for (const name of names) camera.add(new Option(name, name));
    camera.value = names.includes(chosen) ? chosen : "";
  }

  #hold(wanted) {
    this.#held = wanted;
    this.#show();
  }

  #show(anew = false) {
    const { list, news, empty } = this.#parts;
    const fitting = this.#results.filter((each) => this.#fits(each));
    const unseen = fitting.filter(({ number }) => number > this.#newest);
    const held = this.#held && !anew && list.children.length > 0;
    say(news, held ? `paused · ${count(unseen.length)} more` : "");
    if (held) return;
    const lines = (anew ? fitting : unseen).slice(-SHOWN).map(line);
    if (anew) list.replaceChildren();
    list.prepend(...lines.reverse());
    while (list.children.length > SHOWN) list.lastElementChild.remove();
    this.#newest = this.#number;
    empty.hidden = list.children.length > 0;
  }

  #fits(each) {
    const { camera, text, failures } = this.#parts;
    const { result } = each;
    if (camera.value && result.camera !== camera.value) return false;
    if (failures.checked && result.state !== "failed") return false;
    if (!text.value) return true;
    each.words ??= `${result.camera} ${result.error ?? ""} ${JSON.stringify(result.result)}`.toLowerCase();
    return each.words.includes(text.value.toLowerCase());
  }
}

function line({ result }) {
  const [item, parts] = copyOf("result");
  const failed = result.state === "failed";
  mark(item, "data-state", result.state);
  say(parts.time, clock(result.captured_at, 1));
  say(parts.camera, result.camera);
  say(parts.words, `${failed ? "failed: " : ""}${words(result).slice(0, 300)}`);
  parts.button.addEventListener("click", () => {
    const open = parts.button.getAttribute("aria-expanded") !== "true";
    mark(parts.button, "aria-expanded", open);
    parts.all.hidden = !open;
    if (open) say(parts.all, detail(result));
  });
  return item;
}

// One line: of objects what they are, of anything else the whole.
function words({ state, error, result }) {
  if (state === "failed") return error ?? "no reason given";
  if (!Array.isArray(result?.objects)) return JSON.stringify(result);
  const found = result.objects.map((each) => {
    const score = each?.score ?? each?.confidence;
    return `${each?.label ?? "?"}${typeof score === "number" ? ` ${score.toFixed(2)}` : ""}`;
  });
  return `${plural(found.length, "object")}${found.length ? ": " : ""}${found.join(", ")}`;
}

function detail({ kind, traceback, ...facts }) {
  return traceback ? `${traceback}\n${json(facts)}` : json(facts);
}
