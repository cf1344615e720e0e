// The page: asks each second what there is, and keeps a tile for each camera.

import { Hooks } from "./hooks.js";
import { Tile } from "./tile.js";
import { plural, say } from "./words.js";

const PERIOD = 1000;
const TIMEOUT = 4000;

const tiles = new Map();
const hooks = new Hooks(document.getElementById("hooks"));
const board = document.getElementById("cameras");
const empty = document.getElementById("empty");
const link = document.getElementById("link");
const summary = document.getElementById("summary");
const trouble = document.getElementById("trouble");

async function ask(address) {
  const signal = AbortSignal.timeout(TIMEOUT);
  const answer = await fetch(address, { signal, cache: "no-store", priority: "high" });
  if (!answer.ok) throw new Error(`${address} answers ${answer.status}`);
  return answer.json();
}

function showCameras(cameras) {
  const names = new Set(cameras.map((camera) => camera.camera));
  for (const [name, tile] of tiles) {
    if (!names.has(name)) {
      tile.remove();
      tiles.delete(name);
    }
  }
  cameras.forEach((camera, n) => {
    let tile = tiles.get(camera.camera);
    if (!tile) {
      tile = new Tile(camera.camera);
      tiles.set(camera.camera, tile);
    }
    if (board.children[n] !== tile.element) board.insertBefore(tile.element, board.children[n]);
    tile.show(camera);
  });
  empty.hidden = cameras.length > 0;
}

function summarise(cameras) {
  const words = [plural(cameras.length, "camera")];
  for (const state of ["live", "stale", "gone"]) {
    const n = cameras.filter((camera) => camera.state === state).length;
    if (n && n < cameras.length) words.push(`${n} ${state}`);
  }
  const fps = cameras.reduce((sum, camera) => sum + camera.fps, 0);
  if (cameras.length) words.push(`${fps.toFixed(1)} fps`);
  say(summary, words.join(" · "));
  document.title = `Framepost: ${words[0]}`;
}

function connect(connected, sentence = "") {
  link.dataset.state = connected ? "live" : "gone";
  say(link, connected ? "connected" : "no connection");
  say(trouble, sentence);
  trouble.hidden = connected;
}

async function update() {
  try {
    const [all, workers] = await Promise.all([ask("cameras"), ask("hooks")]);
    showCameras(all.cameras);
    summarise(all.cameras);
    hooks.show(workers.hooks);
    connect(true);
  } catch (error) {
    // A receiver that stops answers with an error, or not at all; anything else is our own bug.
    if (!(error instanceof TypeError || error instanceof DOMException)) console.warn(error);
    for (const tile of tiles.values()) tile.lose();
    connect(false, "The receiver does not answer. This page goes on trying, and what it shows is old.");
  }
}

function showCommands() {
  const base = new URL(".", location.href).href.replace(/\/$/, "");
  const commands = {
    curl: `curl --data-binary @picture.jpg -H 'Content-Type: image/jpeg' ${base}/cameras/cam1/frames`,
    sender: `python -m sender --camera cam1 --source testsrc --to ${base}`,
  };
  for (const code of document.querySelectorAll("[data-command]")) {
    code.textContent = commands[code.dataset.command];
  }
}

async function run() {
  showCommands();
  for (;;) {
    if (!document.hidden) await update();
    await new Promise((resolve) => setTimeout(resolve, PERIOD));
  }
}

run();
