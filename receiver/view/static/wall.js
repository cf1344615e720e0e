// Wall: a tile for each camera, in the receiver's order; knows which of them are on the screen.

import { Tile } from "./tile.js";

// Widths that pictures are asked for, so that tiles that hardly differ share one encode.
const STEP = 160;
const SIZES = ["small", "medium", "large"];

export class Wall {
  #board;
  #tiles = new Map();
  #seen;
  #overlay = true;
  onOpen = () => {};
  // Other tiles are on the screen, or they have another size.
  onChange = () => {};

  constructor(board) {
    this.#board = board;
    this.#seen = new IntersectionObserver((entries) => this.#notice(entries), { rootMargin: "100px" });
    new ResizeObserver(() => this.onChange()).observe(board);
    board.addEventListener("keydown", (event) => this.#move(event));
  }

  get names() {
    return [...this.#tiles.keys()];
  }

  tile(name) {
    return this.#tiles.get(name) ?? null;
  }

  set overlay(wanted) {
    this.#overlay = wanted;
    for (const tile of this.#tiles.values()) tile.screen.overlay = wanted;
  }

  set size(wanted) {
    this.#board.dataset.size = SIZES.includes(wanted) ? wanted : "medium";
  }

  // `cameras` is what GET /cameras says.
  show(cameras, history, now) {
    const names = new Set(cameras.map((camera) => camera.camera));
    for (const [name, tile] of this.#tiles) if (!names.has(name)) this.#drop(name, tile);
    cameras.forEach((camera, n) => {
      const tile = this.#tiles.get(camera.camera) ?? this.#add(camera.camera);
      if (this.#board.children[n] !== tile.element) {
        this.#board.insertBefore(tile.element, this.#board.children[n] ?? null);
      }
      tile.show(camera, history.of(camera.camera), now);
    });
  }

  judge(alive) {
    for (const tile of this.#tiles.values()) tile.judge(alive);
  }

  // What to ask for: the cameras on the screen, null for all there are, and the width that fits.
  wish() {
    const tiles = [...this.#tiles.values()];
    const shown = tiles.filter((tile) => tile.visible);
    const widest = Math.max(STEP, ...shown.map((tile) => tile.width)) * Math.min(devicePixelRatio, 2);
    const own = Math.max(0, ...shown.map((tile) => tile.frameWidth ?? 0));
    const width = Math.ceil(widest / STEP) * STEP;
    return {
      shows: shown.length === tiles.length ? null : shown.map((tile) => tile.name),
      count: shown.length,
      // As it was sent, where that is hardly larger than what is asked for.
      width: own && own <= width * 1.3 ? null : width,
    };
  }

  #add(name) {
    const tile = new Tile(name, () => this.onOpen(name));
    tile.screen.overlay = this.#overlay;
    tile.element.tile = tile;
    this.#tiles.set(name, tile);
    this.#seen.observe(tile.element);
    return tile;
  }

  #drop(name, tile) {
    this.#seen.unobserve(tile.element);
    tile.remove();
    this.#tiles.delete(name);
    this.onChange();
  }

  #notice(entries) {
    for (const { target, isIntersecting } of entries) target.tile.visible = isIntersecting;
    this.onChange();
  }

  // Arrows go from tile to tile, as they stand.
  #move(event) {
    const tiles = [...this.#board.children];
    const from = tiles.indexOf(event.target.closest(".tile"));
    if (from < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const top = tiles[0].offsetTop;
    const across = tiles.filter((tile) => tile.offsetTop === top).length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across };
    const to = { Home: 0, End: tiles.length - 1 }[event.key] ?? from + (steps[event.key] ?? NaN);
    if (!tiles[to]) return;
    event.preventDefault();
    tiles[to].tile.focus();
  }
}
