// Overlay: draws what a hook found into a canvas that lies over the picture.

import { maskOf } from "./mask.js";
import { shapesOf } from "./shapes.js";

// Apart from one another, and bright enough for any picture with the dark edge that they get.
const COLORS = [
  "#4ade80", "#38bdf8", "#facc15", "#f472b6", "#fb923c", "#a78bfa", "#2dd4bf", "#f87171",
];
// On a smaller picture words would hide what they are about.
const LEGIBLE = 240;
const EDGE = "rgb(0 0 0 / 0.55)";
const DARK = "#0b0d0f";

// `head` is that of the picture; `width` is the canvas' own width, which the whole frame fills.
export function draw(context, head, width) {
  const frame = head.frame_width || head.width;
  const height = context.canvas.height;
  const across = width / frame;
  const down = height / (head.frame_height || head.height);
  const place = ([x, y]) => [x * across, y * down];
  const unit = Math.max(1, width / 480);
  const shapes = shapesOf(head.result?.result);
  context.save();
  context.lineJoin = context.lineCap = "round";
  for (const mask of shapes.masks) drawMask(context, mask, place, unit);
  for (const line of shapes.lines) drawLine(context, line, place, unit);
  for (const { box: [x, y, w, h], ...about } of shapes.boxes) {
    const points = [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
    drawLine(context, { ...about, points, closed: true }, place, unit);
  }
  for (const found of shapes.points) drawPoints(context, found, place, unit);
  // Words last, over everything.
  for (const text of shapes.texts) write(context, text.label, place(text.at), colorOf(text), unit);
  context.restore();
}

function drawLine(context, line, place, unit) {
  const color = colorOf(line);
  const path = new Path2D();
  line.points.map(place).forEach(([x, y], n) => (n ? path.lineTo(x, y) : path.moveTo(x, y)));
  if (line.closed) path.closePath();
  if (line.filled) {
    context.globalAlpha = 0.25;
    context.fillStyle = color;
    context.fill(path);
    context.globalAlpha = 1;
  }
  stroke(context, path, color, unit);
  if (line.label) write(context, line.label, place(topLeft(line.points)), color, unit);
}

function drawPoints(context, { keypoints, bones, ...about }, place, unit) {
  const color = colorOf(about);
  const path = new Path2D();
  for (const [from, to] of bones) {
    path.moveTo(...place(keypoints[from]));
    path.lineTo(...place(keypoints[to]));
  }
  stroke(context, path, color, unit);
  for (const point of keypoints) {
    // A point that was hardly seen is drawn faintly.
    if (point === null) continue;
    context.globalAlpha = typeof point[2] === "number" && point[2] < 0.3 ? 0.3 : 1;
    context.beginPath();
    context.arc(...place(point), 2.5 * unit, 0, 7);
    context.fillStyle = color;
    context.fill();
    context.lineWidth = unit * 0.8;
    context.strokeStyle = EDGE;
    context.stroke();
  }
  context.globalAlpha = 1;
}

function drawMask(context, mask, place, unit) {
  const [x, y, width, height] = mask.box;
  const from = place([x, y]);
  const to = place([x + width, y + height]);
  const color = colorOf(mask);
  context.globalAlpha = 0.45;
  context.drawImage(maskOf(mask, color), ...from, to[0] - from[0], to[1] - from[1]);
  context.globalAlpha = 1;
  if (mask.label) write(context, mask.label, from, color, unit);
}

function stroke(context, path, color, unit) {
  context.strokeStyle = EDGE;
  context.lineWidth = unit * 3.2;
  context.stroke(path);
  context.strokeStyle = color;
  context.lineWidth = unit * 1.8;
  context.stroke(path);
}

// Above the place; below it where there is no room, and never out at the right.
function write(context, words, [x, y], color, unit) {
  if (context.canvas.width < LEGIBLE) return;
  const size = Math.max(10, 8.5 * unit);
  context.font = `600 ${size}px system-ui, sans-serif`;
  const width = context.measureText(words).width + size * 0.6;
  const height = size * 1.35;
  const left = Math.max(0, Math.min(x, context.canvas.width - width));
  const top = y - height < 0 ? Math.max(0, y) : y - height;
  context.fillStyle = color;
  context.fillRect(left, top, width, height);
  context.fillStyle = DARK;
  context.textBaseline = "middle";
  context.fillText(words, left + size * 0.3, top + height * 0.54);
}

function topLeft(points) {
  return points.reduce((best, point) => (point[1] < best[1] ? point : best));
}

// The colour that it asks for; else one that is always the same for a track, or a label.
function colorOf({ color, group }) {
  if (color && CSS.supports("color", color)) return color;
  let hash = 0;
  for (const letter of group ?? "") hash = (hash * 31 + letter.codePointAt(0)) | 0;
  return COLORS[Math.abs(hash) % COLORS.length];
}
