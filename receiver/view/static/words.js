// Numbers as people read them.

export function count(n) {
  return n.toLocaleString("en-US").replaceAll(",", "\u2009");
}

export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function milliseconds(ms) {
  return ms < 100 ? ms.toFixed(1) : count(Math.round(ms));
}

export function plural(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

// JSON in which a line holds whatever fits into it; cut where it is endless.
export function json(value) {
  const text = lay(value, "", "");
  return text.length <= 4000 ? text : `${text.slice(0, 4000)} …`;
}

function lay(value, indent, label) {
  const line = JSON.stringify(value);
  if (value === null || typeof value !== "object") return label + line;
  if (indent.length + label.length + line.length <= 40) return label + line;
  const deeper = `${indent}  `;
  const [opening, closing] = Array.isArray(value) ? "[]" : "{}";
  const items = Object.entries(value).map(([key, item]) => {
    return deeper + lay(item, deeper, Array.isArray(value) ? "" : `${JSON.stringify(key)}: `);
  });
  return `${label}${opening}\n${items.join(",\n")}\n${indent}${closing}`;
}

// Text goes into the page by this way only, so nothing a camera or a hook says becomes markup.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
