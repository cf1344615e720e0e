// Picture: one camera's newest frame on a canvas.
//
// Frames are fetched one by one and not as an endless stream: a browser opens six connections to a
// host, for all its tabs together, and streams would hold them.

const WIDTHS = [320, 480, 640, 960, 1280, 1920];
const TIMEOUT = 5000;

export class Picture {
  static #shown = new Set();

  // All pictures that are on the screen share some 66 requests a second.
  static get interval() {
    return Math.max(33, 15 * Picture.#shown.size);
  }

  #address;
  #canvas;
  #observer;
  #tag = null;
  #asked = "";
  #ended = false;
  view = "raw";
  // Pixels across of the camera's own frames.
  width = 0;
  // Called with a sentence while there is nothing to show, else with "".
  onTrouble = () => {};

  constructor(canvas, address) {
    this.#canvas = canvas;
    this.#address = address;
    this.#observer = new IntersectionObserver((entries) => {
      if (entries.at(-1).isIntersecting) Picture.#shown.add(this);
      else Picture.#shown.delete(this);
    });
    this.#observer.observe(canvas);
    this.#run();
  }

  end() {
    this.#ended = true;
    this.#observer.disconnect();
    Picture.#shown.delete(this);
  }

  async #run() {
    while (!this.#ended) {
      const started = performance.now();
      let pause = Picture.interval;
      // What is scrolled away keeps the picture that it has.
      if (document.hidden || (this.#tag && !Picture.#shown.has(this))) {
        pause = 250;
      } else {
        try {
          await this.#fetch();
        } catch {
          // The receiver, or the way to it, is gone; the page says so.
          pause = 1000;
        }
      }
      const passed = performance.now() - started;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, pause - passed)));
    }
  }

  async #fetch() {
    const address = `${this.#address}?${this.#query()}`;
    // A tag says which picture is here already; it holds for one address only.
    if (address !== this.#asked) this.#tag = null;
    const headers = this.#tag ? { "If-None-Match": this.#tag } : {};
    const signal = AbortSignal.timeout(TIMEOUT);
    const answer = await fetch(address, { headers, signal, cache: "no-store" });
    if (answer.status === 304) return;
    if (!answer.ok) {
      const problem = await answer.json();
      this.#tag = null;
      this.onTrouble(problem.detail);
      return;
    }
    const bitmap = await createImageBitmap(await answer.blob());
    if (this.#ended) return;
    this.#asked = address;
    this.#tag = answer.headers.get("ETag");
    this.#draw(bitmap);
    this.onTrouble("");
  }

  #query() {
    const query = new URLSearchParams({ view: this.view });
    const needed = this.#canvas.clientWidth * window.devicePixelRatio;
    const width = WIDTHS.find((step) => step >= needed);
    // Its own bytes cost the receiver nothing; a smaller picture pays only when it is far smaller.
    if (width && 2 * width <= this.width) query.set("width", width);
    return query;
  }

  #draw(bitmap) {
    const canvas = this.#canvas;
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
  }
}
