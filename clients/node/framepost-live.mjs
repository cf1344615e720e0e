// @ts-check
/**
 * The newest frame only, sent in the background; and results as they come.
 *
 *     const sender = new LatestFrameSender(client, { onReply });
 *     camera.on("frame", (jpeg) => sender.offer(jpeg));
 *
 * Copy this file beside framepost.mjs. All durations are seconds.
 *
 * @typedef {import("./framepost.mjs").Client} Client
 * @typedef {import("./framepost.mjs").Control} Control
 * @typedef {import("./framepost.mjs").Frame} Frame
 * @typedef {import("./framepost.mjs").FrameOptions} FrameOptions
 * @typedef {import("./framepost.mjs").Reply} Reply
 */

import {
  FramepostError,
  Refused,
  authorization,
  baseUrl,
  readBody,
  refusal,
} from "./framepost.mjs";

/** Statuses that speak of one frame alone: the next may go at once. */
const ABOUT_THE_FRAME = [400, 411, 413, 415, 422];

/** Pauses that double from 0.1 s to 1 s; half of each is jitter. */
class Backoff {
  #whole = 0;

  next() {
    this.#whole = Math.min(1, this.#whole * 2 || 0.1);
    return this.#whole * (0.5 + Math.random() / 2);
  }

  reset() {
    this.#whole = 0;
  }
}

/**
 * @typedef {object} Counts of one moment:
 *   captured = posted + superseded + refused + failed + waiting
 * @property {number} captured
 * @property {number} posted the receiver took them; what its hook made of them
 *   is in the replies
 * @property {number} superseded replaced by a newer one before they were sent
 * @property {number} refused
 * @property {number} failed no reply came, or `close` came first
 * @property {number} waiting one to be sent, one in flight
 * @property {number} thinned left out because the receiver wished fewer; not
 *   captured, and so without a number
 */

/**
 * Sends the newest frame in the background; one that waits gives way to a newer
 * one. Nothing is sent twice. After trouble it pauses, 0.1 s and then ever
 * longer up to 1 s, or as long as the receiver asks, and goes on with what is
 * newest then.
 */
export class LatestFrameSender {
  /** @type {Control | null} what the newest reply wished */
  control = null;
  #client;
  #options;
  #backoff = new Backoff();
  /** @type {Frame | null} */
  #newest = null;
  #due = 0;
  /** @type {number | null} */
  #closedAt = null;
  /** @type {Promise<void> | null} */
  #running = null;
  #endPause = () => {};
  #counts = {
    captured: 0,
    posted: 0,
    superseded: 0,
    refused: 0,
    failed: 0,
    waiting: 0,
    thinned: 0,
  };

  /**
   * From here on the client is this sender's.
   *
   * @param {Client} client
   * @param {object} [options]
   * @param {number} [options.wait] how long to wait for each frame's result
   * @param {(frame: Frame, reply: Reply) => void} [options.onReply]
   * @param {(frame: Frame, error: FramepostError) => void} [options.onTrouble]
   * @param {boolean} [options.obey] leave frames out when the receiver wishes
   *   fewer a second; its wishes for size and quality are yours to follow
   * @param {() => number} [options.clock] seconds since whenever
   */
  constructor(
    client,
    {
      wait,
      onReply,
      onTrouble,
      obey = true,
      clock = () => performance.now() / 1000,
    } = {},
  ) {
    this.#client = client;
    this.#options = { wait, onReply, onTrouble, obey, clock };
  }

  /**
   * Makes this the frame to be sent next, and returns at once.
   *
   * @param {Uint8Array} data
   * @param {FrameOptions} [options]
   */
  offer(data, options = {}) {
    if (this.#closedAt !== null) throw new Error("the sender is closed");
    if (!this.#isDue()) {
      this.#counts.thinned++;
      return;
    }
    this.#drop("superseded");
    this.#newest = this.#client.capture(data, options);
    this.#counts.captured++;
    this.#counts.waiting++;
    this.#running ??= this.#run();
  }

  /** @returns {Counts} */
  get counts() {
    return { ...this.#counts };
  }

  /**
   * Sends what waits, unless there is trouble, and ends, all within the
   * client's timeout.
   */
  async close() {
    this.#closedAt ??= this.#options.clock();
    this.#endPause();
    await this.#running;
  }

  #isDue() {
    const { obey, clock } = this.#options;
    const fps = obey && this.control?.fps;
    if (!fps) return true;
    const now = clock();
    if (now < this.#due) return false;
    // From one due time to the next, so that the rate does not sag; but from
    // now after a gap.
    this.#due = (now - this.#due < 1 / fps ? this.#due : now) + 1 / fps;
    return true;
  }

  async #run() {
    while (this.#newest && this.#secondsLeft() > 0) {
      const frame = this.#newest;
      this.#newest = null;
      await this.#post(frame);
    }
    this.#drop("failed");
    this.#running = null;
  }

  /** @param {Frame} frame */
  async #post(frame) {
    const { wait, onReply, onTrouble } = this.#options;
    try {
      const reply = await this.#client.post(frame, {
        wait,
        timeout: this.#secondsLeft(),
      });
      this.#count("posted");
      this.control = reply.control;
      this.#backoff.reset();
      onReply?.(frame, reply);
      if (reply.retryAfter) await this.#pause(reply.retryAfter);
    } catch (error) {
      if (!(error instanceof FramepostError)) throw error; // a bug in onReply
      this.#count(error instanceof Refused ? "refused" : "failed");
      onTrouble?.(frame, error);
      await this.#recover(error);
    }
  }

  /** For an exchange: once `close` was called, what is left of its time. */
  #secondsLeft() {
    const whole = this.#client.timeout + (this.#options.wait ?? 0);
    if (this.#closedAt === null) return whole;
    return whole - (this.#options.clock() - this.#closedAt);
  }

  /** @param {FramepostError} error */
  async #recover(error) {
    let asked = 0;
    if (error instanceof Refused) {
      if (ABOUT_THE_FRAME.includes(error.status)) return;
      asked = error.retryAfter ?? 0;
    }
    await this.#pause(Math.max(asked, this.#backoff.next()));
  }

  /** @param {number} seconds */
  async #pause(seconds) {
    if (this.#closedAt === null) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, seconds * 1000);
        this.#endPause = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
    }
    if (this.#closedAt !== null) this.#drop("failed");
  }

  /** @param {"superseded" | "failed"} reason */
  #drop(reason) {
    if (this.#newest) this.#count(reason);
    this.#newest = null;
  }

  /** @param {"posted" | "superseded" | "refused" | "failed"} end */
  #count(end) {
    this.#counts[end]++;
    this.#counts.waiting--;
  }
}

/**
 * @typedef {object} ServerEvent
 * @property {string} id
 * @property {string} kind `result`, for results
 * @property {any} data a result's has camera, epoch, seq, captured_at, state,
 *   result, error, timings
 */

/**
 * Yields results as they come, of one camera or of all, for ever. A line that
 * breaks, or says nothing for `silence` seconds, is opened anew and goes on
 * behind the event that came last. Throws Refused when the receiver has none to
 * give. To end it, leave the loop, or abort the signal.
 *
 * @param {string} url
 * @param {object} [options]
 * @param {string} [options.camera]
 * @param {string} [options.token]
 * @param {string} [options.lastEventId]
 * @param {number} [options.silence]
 * @param {AbortSignal} [options.signal]
 * @returns {AsyncGenerator<ServerEvent, void, void>}
 */
export async function* events(
  url,
  { camera, token, lastEventId = "", silence = 30, signal } = {},
) {
  const query = camera ? `?${new URLSearchParams({ camera })}` : "";
  const address = `${baseUrl(url)}/events${query}`;
  const backoff = new Backoff();
  while (!signal?.aborted) {
    const line = new AbortController();
    const abort = () => line.abort();
    signal?.addEventListener("abort", abort);
    let watch = setTimeout(abort, silence * 1000);
    let pause = 0;
    try {
      /** @type {Record<string, string>} */
      const headers = { ...authorization(token), Accept: "text/event-stream" };
      if (lastEventId) headers["Last-Event-ID"] = lastEventId;
      const response = await fetch(address, {
        headers,
        redirect: "manual",
        signal: line.signal,
      });
      if (response.status !== 200 || !response.body) {
        throw refusal(response, await readBody(response));
      }
      const parser = new EventParser();
      for await (const chunk of response.body) {
        clearTimeout(watch);
        for (const event of parser.feed(chunk)) {
          backoff.reset();
          lastEventId = event.id || lastEventId;
          if (event.data !== undefined) yield event;
        }
        watch = setTimeout(abort, silence * 1000);
      }
    } catch (error) {
      if (error instanceof Refused) {
        if (![429, 502, 503, 504].includes(error.status)) throw error;
        pause = error.retryAfter ?? 0;
      } else if (!(error instanceof TypeError) && !line.signal.aborted) {
        throw error; // not fetch's
      }
    } finally {
      clearTimeout(watch);
      line.abort();
      signal?.removeEventListener("abort", abort);
    }
    await sleep(Math.max(pause, backoff.next()), signal);
  }
}

/** Reads Server-Sent Events (the HTML standard, section 9.2.6). */
class EventParser {
  #decoder = new TextDecoder();
  #rest = "";
  /** @type {Record<string, string>} */
  #fields = {};

  /**
   * @param {Uint8Array} chunk
   * @returns {Generator<ServerEvent, void, void>}
   */
  *feed(chunk) {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    // A CR at the very end may yet be followed by its LF.
    const lines = this.#rest.split(/\r\n|\n|\r(?!\n|$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line) {
        this.#read(line);
        continue;
      }
      const { data, id = "", event = "message" } = this.#fields;
      this.#fields = {};
      // One without data tells only how far the reader has come.
      if (data !== undefined || id)
        yield { id, kind: event, data: data && parse(data) };
    }
  }

  /** @param {string} line */
  #read(line) {
    const [, name, value] = /** @type {string[]} */ (
      /^([^:]*):? ?(.*)$/s.exec(line)
    );
    const fields = this.#fields;
    fields[name] =
      name === "data" && "data" in fields ? `${fields.data}\n${value}` : value;
  }
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * @param {number} seconds
 * @param {AbortSignal} [signal] ends it early
 * @returns {Promise<void>}
 */
function sleep(seconds, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    signal?.addEventListener("abort", end);
  });
}
