// Recordings: what lies on the receiver's disk, to play and to fetch.

import { Refused } from "./access.js";
import { copyOf, mark, partsOf, say } from "./parts.js";
import { keep } from "./snapshot.js";
import { bytes, duration, moment, plural } from "./words.js";

const PERIOD = 10_000;
const PAGE = 50;

export class Recordings {
  #access;
  #parts;
  #items = new Map();
  #timer = null;
  #open = false;
  onPlay = () => {};
  // Told whether this receiver records.
  onOffer = () => {};

  constructor(box, access) {
    this.#access = access;
    const parts = (this.#parts = partsOf(box));
    parts.camera.addEventListener("change", () => this.look());
    parts.more.addEventListener("click", () => this.#list([...this.#items.values()].at(-1)?.name));
  }

  // Whether anybody looks.
  set open(wanted) {
    if (wanted === this.#open) return;
    this.#open = wanted;
    clearTimeout(this.#timer);
    if (wanted) this.look();
  }

  set cameras(names) {
    const { camera } = this.#parts;
    const known = new Set([...camera.options].map((option) => option.value));
    for (const name of names) if (!known.has(name)) camera.add(new Option(name, name));
  }

  // Looks what there is; a receiver that does not record answers 404.
  async look() {
    clearTimeout(this.#timer);
    await this.#list();
    if (this.#open) this.#timer = setTimeout(() => this.look(), PERIOD);
  }

  // The newest ones, or what is older than the one called `before`.
  async #list(before) {
    // Who gave no token is not asked for it each time.
    if (!this.#access.may("view")) return;
    const { camera, list, none, more } = this.#parts;
    const query = new URLSearchParams({ limit: PAGE });
    if (camera.value) query.set("camera", camera.value);
    if (before) query.set("before", before);
    try {
      const answer = await this.#access.json(`recordings?${query}`, { cache: "no-store" });
      this.onOffer(true);
      this.#say(answer.recording);
      this.cameras = answer.recordings.map((recording) => recording.camera);
      if (!before) this.#trim(answer.recordings);
      for (const recording of answer.recordings) this.#show(recording);
      more.hidden = answer.recordings.length < PAGE;
      none.hidden = list.children.length > 0;
    } catch (error) {
      if (error instanceof Refused && error.status === 404) this.onOffer(false);
    }
  }

  // Takes away what is newer than the oldest of `found` and not among them, or of another camera.
  #trim(found) {
    const names = new Set(found.map(key));
    const oldest = found.at(-1)?.name ?? "";
    for (const [name, item] of this.#items) {
      const gone = item.name >= oldest && !names.has(name);
      const other = this.#parts.camera.value && item.camera !== this.#parts.camera.value;
      if (gone || other) this.#drop(name);
    }
  }

  #drop(name) {
    this.#items.get(name).element.remove();
    this.#items.delete(name);
  }

  #show(recording) {
    let item = this.#items.get(key(recording));
    if (!item) {
      item = this.#make(recording);
      const after = [...this.#items.values()].find((each) => each.name < recording.name);
      this.#parts.list.insertBefore(item.element, after?.element ?? null);
      this.#items.set(key(recording), item);
      this.#items = new Map([...this.#items].sort(([, a], [, b]) => (a.name < b.name ? 1 : -1)));
    }
    item.recording = recording;
    const about = [duration(recording.seconds), plural(recording.frames, "frame"), bytes(recording.bytes)];
    if (recording.events) about.push(plural(recording.events, "event"));
    if (!recording.complete) about.push("not finished");
    say(item.parts.about, about.join(" · "));
  }

  #make(recording) {
    const [element, parts] = copyOf("recording");
    const item = { element, parts, recording, name: recording.name, camera: recording.camera };
    const title = `${recording.camera}, ${moment(recording.started)}`;
    say(parts.name, title);
    mark(parts.play, "aria-label", `Play ${title}`);
    parts.play.addEventListener("click", () => this.onPlay(item.recording));
    for (const kind of ["mkv", "jsonl"]) {
      mark(parts[kind], "aria-label", `Save ${title} as ${kind}`);
      parts[kind].addEventListener("click", () => this.#fetch(recording, kind));
    }
    return item;
  }

  // With a token the browser cannot fetch it by itself.
  async #fetch(recording, kind) {
    const address = `recordings/${encodeURIComponent(recording.camera)}/${recording.name}.${kind}`;
    const name = `${recording.camera}-${recording.name}.${kind}`;
    if (!this.#access.token) return keep(address, name);
    try {
      say(this.#parts.problem, `fetching ${name} …`);
      keep(await (await this.#access.request(address)).blob(), name);
      say(this.#parts.problem, "");
    } catch (error) {
      say(this.#parts.problem, error instanceof Refused ? error.message : "the receiver does not answer");
    }
  }

  #say({ on, reason, bytes: used, free_bytes: free }) {
    const words = on ? `${bytes(used)} used, ${bytes(free)} free` : `not recording: ${reason}`;
    say(this.#parts.state, words);
    this.#parts.state.classList.toggle("bad", !on);
  }
}

const key = ({ camera, name }) => `${camera}/${name}`;
