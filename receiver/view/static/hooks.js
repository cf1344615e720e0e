// Hooks: what runs, since when and how well, what it prints, and a button that loads it anew.

import { Refused } from "./access.js";
import { Log } from "./log.js";
import { copyOf, mark, partsOf, repeat, say } from "./parts.js";
import { count, moment, plural } from "./words.js";

const UP = new Set(["ready", "busy"]);

export class Hooks {
  #access;
  #parts;
  #log;

  constructor(box, access) {
    this.#access = access;
    this.#parts = partsOf(box);
    this.#log = new Log(this.#parts, access);
  }

  // Whether anybody looks.
  set open(wanted) {
    this.#log.open = wanted;
  }

  // `workers` is what GET /hooks says.
  show(workers) {
    this.#parts.none.hidden = workers.length > 0;
    repeat(this.#parts.workers, workers, () => this.#make(), (item, worker) => fill(item, worker));
    this.#log.hooks = [...new Set(workers.map((worker) => worker.hook))];
  }

  #make() {
    const [item, parts] = copyOf("worker");
    item.parts = parts;
    parts.reload.addEventListener("click", () => this.#reload(item.hook, parts));
    return item;
  }

  async #reload(hook, { reload, answer }) {
    reload.disabled = true;
    say(answer, "asking for a reload …");
    try {
      const query = new URLSearchParams({ hook });
      await this.#access.request(`hooks/reload?${query}`, { method: "POST" }, "admin");
      say(answer, "is loaded anew; until it is ready the old one works on");
    } catch (error) {
      say(answer, error instanceof Refused ? error.message : "the receiver does not answer");
    } finally {
      reload.disabled = false;
    }
  }
}

function fill(item, worker) {
  const { parts } = item;
  if (item.hook !== worker.hook) say(parts.answer, "");
  item.hook = worker.hook;
  const up = UP.has(worker.state);
  mark(parts.state, "data-state", worker.state);
  // A worker is now ready, now busy: both are running.
  say(parts.state, up ? "running" : worker.state);
  say(parts.hook, worker.hook);
  const camera = worker.camera && worker.camera !== "*" ? `camera ${worker.camera}` : "all cameras";
  const facts = [camera, `worker ${worker.worker}`];
  if (worker.pid) facts.push(`pid ${worker.pid}`);
  facts.push(`${up ? "runs since" : `${worker.state} since`} ${moment(worker.since)}`);
  facts.push(plural(worker.restarts, "restart"));
  facts.push(`${count(worker.processed)} processed, ${count(worker.failed)} failed`);
  say(parts.about, facts.join(" · "));
  const error = worker.last_error ?? "";
  say(parts.error, up && error ? `last error: ${error}` : error);
  parts.error.hidden = !error;
  const traceback = worker.last_traceback ?? worker.traceback ?? "";
  say(parts.traceback, traceback);
  parts.trace.hidden = !traceback;
}
