// @ts-check
/**
 * A client for Framepost: camera frames over HTTP, and what the receiver made
 * of them. Copy this file, and framepost-live.mjs beside it for the newest frame
 * only, sent in the background, and for results as they come. They need Node 18
 * or newer and nothing else.
 *
 *     const client = new Client("http://127.0.0.1:8000", "door");
 *     const reply = await client.send(jpeg, { wait: 1 });
 *     console.log(reply.state, reply.result);
 *
 * All durations are seconds, all times Unix seconds.
 *
 * @typedef {{ width: number, height: number }} Size in pixels
 *
 * @typedef {object} Control what the receiver can use; null where it has no wish
 * @property {number | null} fps
 * @property {Size | null} size
 * @property {number | null} quality JPEG quality, 1 to 100
 *
 * @typedef {object} Frame a captured picture and its number
 * @property {Uint8Array} data
 * @property {number} seq
 * @property {number} capturedAt
 * @property {string} contentType
 *
 * @typedef {object} Reply what became of a frame
 * @property {number} status
 * @property {string} state accepted, processed, superseded, duplicate or failed
 * @property {number} seq
 * @property {any} result what the hook returned, if it was waited for
 * @property {string | null} error one sentence when the hook failed
 * @property {Record<string, number>} timings milliseconds: queue, decode, hook, total
 * @property {Control | null} control
 * @property {number | null} retryAfter how long the receiver asks to be left
 *   alone
 *
 * @typedef {object} FrameOptions
 * @property {string} [contentType] such as `image/png`, or
 *   `application/x-raw-bgr; width=1280; height=720`
 * @property {number} [capturedAt] now, if it is left out
 *
 * @typedef {object} PostOptions
 * @property {number} [wait] how long to wait for the hook's result
 * @property {boolean} [every] process this frame even if newer ones come
 */

import { randomBytes } from "node:crypto";

/** A longer reply, in bytes, is somebody else's. */
export const MAX_REPLY = 16 * 1024 * 1024;
const MAX_RETRY_AFTER = 60;
const TIME = /^[0-9]{1,12}(\.[0-9]{1,9})?$/;

/** The root of what this client throws for a frame. */
export class FramepostError extends Error {}

/**
 * Network trouble: no whole, legible reply came; the next frame may do better.
 * The receiver may have taken the frame all the same.
 */
export class NoReply extends FramepostError {
  /**
   * @param {string} message
   * @param {"connect" | "timeout" | "reset" | "tls" | "protocol"} reason
   * @param {unknown} [cause]
   */
  constructor(message, reason, cause) {
    super(message, { cause });
    this.name = "NoReply";
    this.reason = reason;
  }
}

/** The receiver said no. */
export class Refused extends FramepostError {
  /**
   * @param {number} status
   * @param {string} detail the receiver's own sentence
   * @param {number | null} retryAfter how long it asks to be left alone
   */
  constructor(status, detail, retryAfter) {
    super(`${status}: ${detail}`);
    this.name = "Refused";
    this.status = status;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }
}

/**
 * Sends one camera's frames, one after the other, over one kept connection.
 * No redirects are followed and nothing is sent twice: the next frame is the
 * retry.
 */
export class Client {
  #target;
  #headers;
  #nextSeq = 0;
  #lastExchange = "";

  /**
   * @param {string} url
   * @param {string} camera
   * @param {object} [options]
   * @param {string} [options.token]
   * @param {number} [options.timeout] for a whole exchange, from connecting to
   *   the reply's last byte; what `send` waits for comes on top
   */
  constructor(url, camera, { token, timeout = 5 } = {}) {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(camera)) {
      throw new TypeError(
        "camera: expected 1 to 64 letters, digits, '_', '.' or '-', " +
          `the first a letter or digit, got '${camera}'`,
      );
    }
    this.camera = camera;
    this.timeout = timeout;
    this.epoch = randomBytes(8).toString("hex");
    this.#target = `${baseUrl(url)}/cameras/${camera}/frames`;
    this.#headers = authorization(token);
  }

  /**
   * Sends one picture. Rejects with NoReply or Refused.
   *
   * @param {Uint8Array} data
   * @param {FrameOptions & PostOptions} [options]
   * @returns {Promise<Reply>}
   */
  send(data, options = {}) {
    return this.post(this.capture(data, options), options);
  }

  /**
   * Gives a picture its number; one that is never posted tells the receiver of
   * a loss.
   *
   * @param {Uint8Array} data
   * @param {FrameOptions} [options]
   * @returns {Frame}
   */
  capture(data, { contentType = "image/jpeg", capturedAt = unixTime() } = {}) {
    return { data, seq: this.#nextSeq++, capturedAt, contentType };
  }

  /**
   * Posts a captured frame.
   *
   * @param {Frame} frame
   * @param {PostOptions & { timeout?: number }} [options]
   * @returns {Promise<Reply>}
   */
  async post(
    frame,
    { wait, every, timeout = this.timeout + (wait ?? 0) } = {},
  ) {
    const sent = unixTime().toFixed(6);
    /** @type {Record<string, string>} */
    const headers = {
      ...this.#headers,
      "Content-Type": frame.contentType,
      "X-Frame-Epoch": this.epoch,
      "X-Frame-Seq": String(frame.seq),
      "X-Timestamp": frame.capturedAt.toFixed(6),
      "X-Sent-At": sent,
    };
    if (this.#lastExchange) headers["X-Last-Exchange"] = this.#lastExchange;
    if (wait !== undefined) {
      headers.Prefer = `wait=${Math.round(wait * 1000) / 1000}`;
    }
    this.#lastExchange = "";
    const target = every ? `${this.#target}?mode=every` : this.#target;
    const [response, content] = await exchange(target, timeout, {
      method: "POST",
      headers,
      body: frame.data,
    });
    const received = response.headers.get("X-Received-At") ?? "";
    const replied = response.headers.get("X-Replied-At") ?? "";
    if (TIME.test(received) && TIME.test(replied)) {
      this.#lastExchange =
        `sent=${sent}; received=${received}; replied=${replied}; ` +
        `seen=${unixTime().toFixed(6)}`;
    }
    return readReply(response, content);
  }
}

/**
 * Returns the URL without a slash at its end; throws for one that is none.
 *
 * @param {string} url
 */
export function baseUrl(url) {
  if (!/^https?:\/\/[^/]/.test(url)) {
    throw new TypeError(`url: expected http://HOST:PORT, got '${url}'`);
  }
  return url.replace(/\/+$/, "");
}

/**
 * @param {string} [token]
 * @returns {Record<string, string>}
 */
export function authorization(token) {
  if (token === undefined) return {};
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new TypeError("token: expected printable ASCII without spaces");
  }
  return { Authorization: `Bearer ${token}` };
}

/**
 * Returns the receiver's no with its own words: a problem's detail, else how
 * the body begins.
 *
 * @param {Response} response
 * @param {string} content
 */
export function refusal(response, content) {
  const { status, headers } = response;
  let detail = content.slice(0, 300).split(/\s+/).join(" ").trim();
  const problem = parseObject(content);
  if (typeof problem?.detail === "string") detail = problem.detail;
  if (status >= 300 && status < 400) {
    detail = `redirects to '${headers.get("Location")}', which is not followed`;
  }
  const retryAfter = readRetryAfter(headers.get("Retry-After") ?? "");
  return new Refused(status, detail || response.statusText, retryAfter);
}

/**
 * Returns a whole reply as text.
 *
 * @param {Response} response
 */
export async function readBody(response) {
  // Always to its end, else the connection could not be used again.
  const chunks = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_REPLY) {
      const sentence = `the reply is longer than ${MAX_REPLY} bytes`;
      throw new NoReply(sentence, "protocol");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/**
 * @param {string} target
 * @param {number} timeout
 * @param {RequestInit} request
 * @returns {Promise<[Response, string]>}
 */
async function exchange(target, timeout, request) {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeout * 1000);
  try {
    const response = await fetch(target, {
      ...request,
      redirect: "manual",
      signal: deadline.signal,
    });
    const content = await readBody(response);
    // fetch takes the connection back a turn later; asked before, it opens
    // another one.
    await new Promise((resolve) => setImmediate(resolve));
    return [response, content];
  } catch (error) {
    if (error instanceof NoReply) throw error;
    if (deadline.signal.aborted) {
      throw new NoReply(`no whole reply within ${timeout} s`, "timeout");
    }
    throw noReply(error);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Says in one sentence what fetch says in a chain of errors.
 *
 * @param {any} error
 */
function noReply(error) {
  const cause = error.cause ?? error;
  const code = String(cause.code ?? "");
  if (code === "EPIPE") {
    const sentence =
      "the connection ended while the frame was sent; is it too large?";
    return new NoReply(sentence, "reset", error);
  }
  if (code === "UND_ERR_SOCKET" || code === "ECONNRESET") {
    const sentence = "the connection ended before the reply did";
    return new NoReply(sentence, "reset", error);
  }
  if (code.startsWith("HPE_")) {
    const sentence = `no HTTP reply that is legible: ${cause.message}`;
    return new NoReply(sentence, "protocol", error);
  }
  if (/SSL|TLS|CERT/.test(code)) {
    return new NoReply(`no TLS connection: ${cause.message}`, "tls", error);
  }
  const why = WHY[code] ?? (cause.message || code);
  return new NoReply(`no connection: ${why}`, "connect", error);
}

/** @type {Record<string, string>} */
const WHY = {
  ECONNREFUSED: "Connection refused",
  EHOSTUNREACH: "No route to host",
  ENETUNREACH: "Network is unreachable",
  ENOTFOUND: "Name or service not known",
};

/**
 * @param {Response} response
 * @param {string} content
 * @returns {Reply}
 */
function readReply(response, content) {
  const said = parseObject(content);
  if (typeof said?.state !== "string") {
    if (response.status >= 300) throw refusal(response, content);
    throw new NoReply(
      "expected a Framepost receiver's reply, " +
        `got ${response.status} '${content.slice(0, 80)}'`,
      "protocol",
    );
  }
  return {
    status: response.status,
    state: said.state,
    seq: said.seq,
    result: said.result ?? null,
    error: said.error ?? null,
    timings: said.timings ?? {},
    control: readControl(response.headers.get("X-Frame-Control") ?? ""),
    retryAfter: readRetryAfter(response.headers.get("Retry-After") ?? ""),
  };
}

/**
 * @param {string} text
 * @returns {Record<string, any> | null} null for what is no JSON object
 */
function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Reads `fps=5; size=640x360; quality=70`, of which any part may be missing or
 * unknown.
 *
 * @param {string} text
 * @returns {Control | null}
 */
function readControl(text) {
  const fps = /(?:^|;)\s*fps=([0-9]{1,4}(?:\.[0-9]{1,6})?)\s*(?:;|$)/.exec(
    text,
  );
  const size = /(?:^|;)\s*size=([0-9]{1,5})x([0-9]{1,5})\s*(?:;|$)/.exec(text);
  const quality = /(?:^|;)\s*quality=([0-9]{1,3})\s*(?:;|$)/.exec(text);
  const control = {
    fps: (fps && Number(fps[1])) || null,
    size: size && { width: Number(size[1]), height: Number(size[2]) },
    quality: quality && Number(quality[1]),
  };
  return control.fps || size || quality ? control : null;
}

/**
 * @param {string} text seconds, or a date (RFC 9110, section 10.2.3)
 * @returns {number | null} seconds, null where it is illegible
 */
function readRetryAfter(text) {
  const seconds = /^[0-9]{1,9}$/.test(text)
    ? Number(text)
    : Date.parse(text) / 1000 - unixTime();
  if (Number.isNaN(seconds)) return null;
  return Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER);
}

/** Milliseconds between the two clocks. */
let offset = Date.now() - performance.now();

/**
 * Returns Unix seconds. Date.now() alone counts whole milliseconds, and
 * performance.now() alone does not notice when the clock is set.
 */
function unixTime() {
  const fine = offset + performance.now();
  const coarse = Date.now();
  if (fine >= coarse && fine < coarse + 1) return fine / 1000;
  offset += coarse - fine;
  return coarse / 1000;
}
