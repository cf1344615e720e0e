// The page of one sender. A picture follows the other, each asked for when the one before is here:
// a browser has only six connections for a host, and streams of more cameras, or of a second tab,
// would wait for ever.

const STATUS_EVERY = 1000;
const AGAIN_AFTER = 2000;
// The page says "no answer" rather than to wait for what does not come.
const PATIENCE = 10000;

// Without the password that the page's address may hold: with one, nothing can be fetched.
const here = (path) => new URL(path, location.origin + location.pathname).href;
const find = (root, name) => root.querySelector(`[data-is="${name}"]`);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const picks = ["width", "fps", "quality"].map((name) => find(document, name));

function wish(names) {
  const query = new URLSearchParams();
  for (const pick of picks) {
    if (pick.value && names.includes(pick.dataset.is)) query.set(pick.dataset.is, pick.value);
  }
  return query;
}

class Tile {
  constructor(name) {
    this.path = here(`cameras/${encodeURIComponent(name)}`);
    this.element = document.getElementById("camera").content.cloneNode(true).firstElementChild;
    this.element.dataset.camera = name;
    find(this.element, "name").textContent = name;
    this.picture = find(this.element, "picture");
    this.name = name;
    this.isShown = true;
    this.hasPicture = false;
    this.link();
    this.run();
  }

  // Puts what was picked into the links.
  link() {
    find(this.element, "stream").href = `${this.path}/stream.mjpg?${wish(["width", "fps", "quality"])}`;
    find(this.element, "snapshot").href = `${this.path}/frame.jpg?${wish(["width", "quality"])}`;
  }

  // Shows picture after picture for as long as the tile is there.
  async run() {
    for (let number = 0; this.isShown; number += 1) {
      if (document.hidden || !this.hasPicture) {
        await sleep(200);
        continue;
      }
      const due = performance.now() + 1000 / find(document, "fps").value;
      const query = wish(["width", "quality"]);
      query.set("n", number); // else a browser may show again what it has
      const came = await this.load(`${this.path}/frame.jpg?${query}`);
      await sleep(came ? due - performance.now() : AGAIN_AFTER);
    }
  }

  // Shows the picture once it is whole; resolves to whether there was one.
  async load(url) {
    const next = new Image();
    next.alt = `What ${this.name} sees`;
    next.dataset.is = "picture";
    next.src = url;
    const late = sleep(PATIENCE).then(() => false);
    const came = await Promise.race([next.decode().then(() => true, () => false), late]);
    if (came) {
      this.picture.replaceWith(next);
      this.picture = next;
    } else {
      next.src = "";
    }
    return came;
  }

  tell(camera) {
    this.hasPicture = camera.width !== null;
    const state = find(this.element, "state");
    state.textContent = camera.state.replace("_", " ");
    state.dataset.state = camera.state;
    const size = camera.width ? `${camera.width} × ${camera.height}, ` : "";
    find(this.element, "facts").textContent =
      `${size}${camera.fps_in.toFixed(1)} fps, posted ${camera.fps_out.toFixed(1)} fps`;
    const trouble = find(this.element, "trouble");
    trouble.hidden = camera.state === "live" || camera.state === "connecting";
    trouble.textContent = trouble.hidden ? "" : camera.source_error ?? "no pictures come";
    if (camera.state === "ended") trouble.textContent = "the source has ended";
  }

  lose() {
    const state = find(this.element, "state");
    state.textContent = state.dataset.state = "unknown";
  }
}

const tiles = new Map();

function show(cameras) {
  for (const camera of cameras) {
    if (!tiles.has(camera.camera)) {
      const tile = new Tile(camera.camera);
      tiles.set(camera.camera, tile);
      find(document, "cameras").append(tile.element);
    }
    tiles.get(camera.camera).tell(camera);
  }
  for (const [name, tile] of tiles) {
    if (cameras.some((camera) => camera.camera === name)) continue;
    tile.isShown = false;
    tile.element.remove();
    tiles.delete(name);
  }
  const live = cameras.filter((camera) => camera.state === "live").length;
  const many = cameras.length === 1 ? "camera" : "cameras";
  find(document, "summary").textContent = `${cameras.length} ${many}, ${live} live`;
}

async function watch() {
  for (;;) {
    try {
      const answer = await fetch(here("status"), { signal: AbortSignal.timeout(PATIENCE) });
      show((await answer.json()).cameras);
    } catch {
      find(document, "summary").textContent = "no connection to the sender";
      for (const tile of tiles.values()) tile.lose();
    }
    await sleep(STATUS_EVERY);
  }
}

for (const pick of picks) {
  pick.addEventListener("change", () => {
    for (const tile of tiles.values()) tile.link();
  });
}
watch();
