// The page: one connection, on which everything comes that it shows.

import { Access } from "./access.js";
import { liveAddress } from "./address.js";
import { Bar } from "./bar.js";
import { Choices } from "./choices.js";
import { Connection, sentence } from "./connection.js";
import { Feed } from "./feed.js";
import { History } from "./history.js";
import { Hooks } from "./hooks.js";
import { Large } from "./large.js";
import { Panel } from "./panel.js";
import { Player } from "./player.js";
import { Recordings } from "./recordings.js";
import { Wall } from "./wall.js";

// Milliseconds: between two looks at the page's clock; before another wish is told.
const TICK = 500;
const SETTLE = 150;

const at = (id) => document.getElementById(id);
const choices = new Choices();
const access = new Access(at("access"));
const connection = new Connection(access.request);
const history = new History();
const wall = new Wall(at("cameras"));
const large = new Large(at("large"));
const bar = new Bar(choices, access);
const feed = new Feed(at("results"));
const hooks = new Hooks(at("hooks"), access);
const recordings = new Recordings(at("recordings"), access);
const player = new Player(at("player"), access);
const panel = new Panel(at("panel"), at("tabs"));

let settling = null;
let wasAlive = false;
let started = false;

const address = () => liveAddress({ player, large, wall, choices, panel });

function ask() {
  clearTimeout(settling);
  if (started) settling = setTimeout(() => connection.want(address()), SETTLE);
}

const takes = {
  picture(head, body) {
    if (large.open) large.offer(head, body);
    else if (head.view === choices.get("view")) wall.tile(head.camera)?.screen.offer(head, body);
  },
  result: (head) => feed.add(head),
  skipped: (head) => feed.skip(head.results),
  status({ cameras, hooks: workers, history: samples }) {
    history.keep(cameras.map((camera) => camera.camera));
    history.add(samples ?? {});
    wall.show(cameras, history, history.now);
    feed.cameras = wall.names;
    hooks.show(workers ?? []);
    bar.show(cameras, workers ?? []);
    const camera = cameras.find((each) => each.camera === large.name);
    if (camera) large.update(camera, history.of(camera.camera), history.now);
  },
};

async function loadHistory() {
  try {
    history.load(await access.json("history", { cache: "no-store" }));
  } catch {
    // Then the charts begin now.
  }
}

function tick() {
  const { alive } = connection;
  if (alive && !wasAlive) {
    bar.connected();
    loadHistory();
    recordings.look();
  }
  if (!alive && wasAlive) bar.lost();
  wasAlive = alive;
  wall.judge(alive);
  large.judge(alive);
}

function step(places) {
  const names = wall.names;
  const from = names.indexOf(large.name);
  if (names.length > 1) large.show(names[(from + places + names.length) % names.length]);
}

function draw(overlay) {
  choices.set("overlay", overlay);
  wall.overlay = large.overlay = player.overlay = bar.overlay = overlay;
}

// Also when a person asked for another attempt, or had the token forgotten.
async function start() {
  started = false;
  clearTimeout(settling);
  connection.want(null);
  tick();
  try {
    await access.open();
    started = true;
    connection.retry(address());
  } catch (error) {
    bar.lost(sentence(error), error);
  }
}

connection.onRecord = (head, body) => {
  takes[head.kind]?.(head, body);
  if (!wasAlive) tick();
};
connection.onTrouble = (sentence, error) => {
  tick();
  bar.lost(sentence, error);
};
wall.onOpen = (name) => large.show(name);
wall.onChange = ask;
large.onChange = ask;
large.onStep = step;
large.onOverlay = draw;
bar.onOverlay = draw;
player.onOverlay = draw;
player.onChange = ask;
recordings.onPlay = (recording) => player.show(recording);
recordings.onOffer = (wanted) => panel.offer("recordings", wanted);
bar.onView = ask;
bar.onSize = (size) => {
  wall.size = size;
};
bar.onRetry = start;
panel.onOpen = (name) => {
  choices.set("panel", name);
  hooks.open = name === "hooks";
  recordings.open = name === "recordings";
  ask();
};

bar.open();
draw(choices.get("overlay"));
panel.open(choices.get("panel"));
setInterval(tick, TICK);
document.addEventListener("visibilitychange", tick);
start();
