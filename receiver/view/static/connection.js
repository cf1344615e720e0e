// Connection: one request whose records go on and on; another one follows when it ends or is silent.

import { Refused } from "./access.js";
import { recordsOf } from "./records.js";

// Seconds: without a record for so long there is no connection; pauses between attempts.
export const SILENCE = 3;
const FIRST_PAUSE = 0.5;
const LONGEST_PAUSE = 10;

export class Connection {
  #request;
  #address = null;
  #attempt = null;
  #pause = FIRST_PAUSE;
  #heard = -Infinity;
  onRecord = () => {};
  // Told in one sentence why there is no connection, and the error behind it.
  onTrouble = () => {};

  // `request` is fetch with what the receiver's access asks for.
  constructor(request) {
    this.#request = request;
    // A hidden page shows nothing, so it asks for nothing.
    document.addEventListener("visibilitychange", () => this.#begin());
  }

  get alive() {
    return performance.now() - this.#heard < SILENCE * 1000;
  }

  // Asks for this address from now on; null for none.
  want(address) {
    if (address === this.#address) return;
    this.#address = address;
    this.#begin();
  }

  // Asks for it at once, whatever came before.
  retry(address) {
    this.#address = address;
    this.#pause = FIRST_PAUSE;
    this.#begin();
  }

  #begin() {
    this.#attempt?.abort();
    this.#attempt = null;
    if (this.#address === null) this.#heard = -Infinity;
    if (this.#address === null || document.hidden) return;
    this.#attempt = new AbortController();
    this.#follow(this.#address, this.#attempt.signal);
  }

  async #follow(address, signal) {
    while (!signal.aborted) {
      let error = null;
      try {
        await this.#read(address, signal);
      } catch (caught) {
        error = caught;
      }
      if (signal.aborted) return;
      const over = error instanceof Refused && error.final;
      if (over) this.#heard = -Infinity;
      this.onTrouble(sentence(error), error);
      if (over) return;
      const seconds = this.#pause * (0.75 + Math.random() / 2);
      this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }

  async #read(address, signal) {
    const silent = new AbortController();
    let last = performance.now();
    const watch = setInterval(() => {
      if (performance.now() - last > SILENCE * 1000) silent.abort();
    }, 250);
    const either = AbortSignal.any([signal, silent.signal]);
    try {
      const answer = await this.#request(address, { signal: either, cache: "no-store" });
      for await (const { head, body } of recordsOf(answer)) {
        if (signal.aborted || head.kind === "end") return;
        last = this.#heard = performance.now();
        this.#pause = FIRST_PAUSE;
        this.onRecord(head, body);
      }
    } finally {
      clearInterval(watch);
      silent.abort();
    }
  }
}

// Says what a request that failed means.
export function sentence(error) {
  if (error instanceof Refused) return error.message;
  // fetch and an aborted one; anything else is our own bug, and is loud in the console.
  if (error && !(error instanceof TypeError || error.name === "AbortError")) console.error(error);
  return "The receiver does not answer. This page goes on trying, and what it shows is old.";
}
