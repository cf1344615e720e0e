// Shapes: what of a hook's result can be drawn, see docs/results.md; whatever is malformed is left out.

// More than these of a kind are not drawn.
const MOST = 2000;
const MOST_POINTS = 5000;
const MOST_PIXELS = 1 << 24;

// Returns { boxes, lines, points, masks, texts }, in pixels of the frame that the hook got.
export function shapesOf(value) {
  const shapes = { masks: [], lines: [], boxes: [], points: [], texts: [] };
  if (value === null || typeof value !== "object") return shapes;
  for (const box of some(value.boxes)) addBox(shapes, box, {});
  for (const found of some(value.objects)) if (isObject(found)) addObject(shapes, found);
  for (const line of some(value.lines)) {
    if (isObject(line)) addLine(shapes, line.points, { ...look(line), closed: line.closed === true });
  }
  for (const text of some(value.texts)) {
    if (isObject(text) && isPoint(text.at) && typeof text.text === "string") {
      shapes.texts.push({ ...look(text), at: text.at, label: text.text.slice(0, 200) });
    }
  }
  return shapes;
}

function addObject(shapes, found) {
  const about = look(found);
  addBox(shapes, found.box, about);
  // The words stand once: at the box, or at the outline where there is no box.
  const rest = isBox(found.box) ? { ...about, label: "" } : about;
  addLine(shapes, found.polygon, { ...rest, closed: true, filled: true });
  const keypoints = some(found.keypoints).slice(0, MOST_POINTS).map((p) => (isPoint(p) ? p : null));
  if (keypoints.some((point) => point !== null)) {
    const bones = some(found.skeleton).filter(
      (bone) => Array.isArray(bone) && keypoints[bone[0]] && keypoints[bone[1]],
    );
    shapes.points.push({ ...about, keypoints, bones });
  }
  const { box, rle } = isObject(found.mask) ? found.mask : {};
  if (isBox(box) && Array.isArray(rle) && rle.every(isLength) && fits(box)) {
    shapes.masks.push({ ...(found.polygon ? { ...rest, label: "" } : rest), box: box.slice(0, 2).concat(box.slice(2).map(Math.round)), rle });
  }
}

function addBox(shapes, box, about) {
  if (isBox(box)) shapes.boxes.push({ label: "", ...about, box });
}

function addLine(shapes, points, about) {
  const line = some(points).slice(0, MOST_POINTS);
  if (line.length > 1 && line.every(isPoint)) shapes.lines.push({ ...about, points: line });
}

// Its words, what its colour goes by, and the colour that it asks for.
function look(found) {
  const name = typeof found.label === "string" ? found.label.slice(0, 80) : "";
  const track = ["string", "number"].includes(typeof found.track) ? String(found.track).slice(0, 40) : "";
  const score = found.score ?? found.confidence;
  const words = [name];
  if (track) words.push(`#${track}`);
  if (isNumber(score)) words.push(score.toFixed(2));
  const color = typeof found.color === "string" && found.color.length < 64 ? found.color : null;
  return { label: words.filter(Boolean).join(" "), group: track || name, color };
}

const some = (list) => (Array.isArray(list) ? list.slice(0, MOST) : []);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const isLength = (value) => Number.isInteger(value) && value >= 0;
const isPoint = (point) => Array.isArray(point) && point.length >= 2 && isNumber(point[0]) && isNumber(point[1]);
const isBox = (box) => Array.isArray(box) && box.length === 4 && box.every(isNumber);
const fits = ([, , width, height]) => width >= 1 && height >= 1 && width * height <= MOST_PIXELS;
