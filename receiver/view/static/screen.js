// Screen: shows the newest picture it was given, and over it what the hook found in it.

import { draw } from "./overlay.js";

const waiting = new Set();

// At most once for each of the display's own frames, and only the newest picture.
function schedule(screen) {
  if (waiting.size === 0) requestAnimationFrame(decodeAll);
  waiting.add(screen);
}

function decodeAll() {
  const screens = [...waiting];
  waiting.clear();
  for (const screen of screens) screen.decode();
}

export class Screen {
  #canvas;
  #over;
  #waiting = null;
  #decoding = false;
  #overlay = true;
  #resized;
  // The facts of the picture that is shown, and by performance.now() when it was taken.
  head = null;
  at = 0;
  painted = 0;
  trouble = "";
  onShow = () => {};

  // `element` has two canvases, one over the other.
  constructor(element) {
    [this.#canvas, this.#over] = element.querySelectorAll("canvas");
    this.#resized = new ResizeObserver(() => this.#drawOver());
    this.#resized.observe(this.#over);
  }

  // The age in seconds of the picture that is shown.
  age(now) {
    return this.head === null ? null : (this.head.age_seconds ?? 0) + (now - this.at) / 1000;
  }

  set overlay(wanted) {
    this.#overlay = wanted;
    this.#drawOver();
  }

  // Takes a picture; one that waits still is dropped for it.
  offer(head, body) {
    this.#waiting = { head, body, at: performance.now() };
    if (!this.#decoding) schedule(this);
  }

  async decode() {
    if (this.#decoding || this.#waiting === null) return;
    const { head, body, at } = this.#waiting;
    this.#waiting = null;
    this.#decoding = true;
    try {
      const bitmap = await createImageBitmap(new Blob([body], { type: "image/jpeg" }));
      this.#paint(bitmap);
      bitmap.close();
      this.head = head;
      this.at = at;
      this.painted += 1;
      this.trouble = "";
      this.#drawOver();
      this.onShow();
    } catch (error) {
      if (error.name !== "InvalidStateError") throw error;
      this.trouble = "the picture does not decode";
    } finally {
      this.#decoding = false;
      if (this.#waiting !== null) schedule(this);
    }
  }

  // Forgets what is shown.
  clear() {
    this.#waiting = this.head = null;
    for (const canvas of [this.#canvas, this.#over]) {
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    }
  }

  end() {
    this.#resized.disconnect();
    waiting.delete(this);
    this.#waiting = null;
  }

  // Returns the picture, with what is drawn over it, as a canvas of the picture's own size.
  still() {
    const still = document.createElement("canvas");
    still.width = this.#canvas.width;
    still.height = this.#canvas.height;
    const context = still.getContext("2d");
    context.drawImage(this.#canvas, 0, 0);
    if (this.#overlay && this.head) draw(context, this.head, still.width);
    return still;
  }

  #paint(bitmap) {
    if (this.#canvas.width !== bitmap.width || this.#canvas.height !== bitmap.height) {
      this.#canvas.width = bitmap.width;
      this.#canvas.height = bitmap.height;
    }
    this.#canvas.getContext("2d").drawImage(bitmap, 0, 0);
  }

  // In the display's own resolution, so that lines and words are sharp on a small picture too.
  #drawOver() {
    const wanted = this.#overlay && this.head?.result?.result;
    const { width, height } = this.#canvas;
    const box = this.#over.getBoundingClientRect();
    const fit = Math.min(box.width / width, box.height / height) * Math.min(devicePixelRatio, 2);
    const size = wanted ? [Math.max(1, Math.round(width * fit)), Math.max(1, Math.round(height * fit))] : [width, height];
    if (this.#over.width !== size[0] || this.#over.height !== size[1]) [this.#over.width, this.#over.height] = size;
    const context = this.#over.getContext("2d");
    context.clearRect(0, 0, ...size);
    if (wanted) draw(context, this.head, size[0]);
  }
}
