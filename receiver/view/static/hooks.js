// Hooks: one line for each worker that runs a hook.

import { plural, say } from "./words.js";

const up = new Set(["ready", "busy"]);

export class Hooks {
  #box;
  #list;

  constructor(box) {
    this.#box = box;
    this.#list = box.querySelector("ul");
  }

  // `workers` is what GET /hooks says.
  show(workers) {
    this.#box.hidden = workers.length === 0;
    while (this.#list.children.length > workers.length) this.#list.lastElementChild.remove();
    while (this.#list.children.length < workers.length) this.#list.append(line());
    workers.forEach((worker, n) => fill(this.#list.children[n], worker));
  }
}

function line() {
  const item = document.createElement("li");
  for (const part of ["state", "hook", "about", "error"]) {
    const span = document.createElement("span");
    span.className = part;
    item.append(span);
  }
  return item;
}

function fill(item, worker) {
  const [state, hook, about, error] = item.children;
  state.dataset.state = worker.state;
  // A worker is now ready, now busy: both are running.
  say(state, up.has(worker.state) ? "running" : worker.state);
  say(hook, worker.hook);
  const camera = worker.camera && worker.camera !== "*" ? `camera ${worker.camera}` : "all cameras";
  const facts = [camera, `worker ${worker.worker}`];
  if (worker.pid) facts.push(`pid ${worker.pid}`);
  if (worker.restarts) facts.push(plural(worker.restarts, "restart"));
  say(about, facts.join(" · "));
  say(error, up.has(worker.state) ? `last error: ${worker.last_error}` : worker.last_error ?? "");
  error.hidden = !worker.last_error;
}
