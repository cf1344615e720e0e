// Numbers and times as people read them.

const MOST = 20_000;

export function count(n) {
  return n.toLocaleString("en-US").replaceAll(",", "\u2009");
}

export function rate(perSecond) {
  return perSecond === null || perSecond === undefined ? "–" : perSecond.toFixed(perSecond < 99.95 ? 1 : 0);
}

export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function ago(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  return seconds < 1 ? "now" : `${duration(seconds)} ago`;
}

export function milliseconds(ms) {
  if (ms === null || ms === undefined) return "–";
  return `${ms < 100 ? ms.toFixed(1) : count(Math.round(ms))} ms`;
}

export function bytes(n) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (n < 1000) return `${n < 10 && unit !== "B" ? n.toFixed(1) : Math.round(n)} ${unit}`;
    n /= 1000;
  }
  return `${n.toFixed(1)} TB`;
}

// Minutes and seconds of a recording.
export function position(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// The local time of day of Unix seconds.
export function clock(unix, digits = 0) {
  const at = new Date(unix * 1000);
  const options = { hour12: false, hour: "2-digit", minute: "2-digit", second: "2-digit" };
  if (digits) options.fractionalSecondDigits = digits;
  return at.toLocaleTimeString("en-GB", options);
}

// The local day and time of Unix seconds.
export function moment(unix) {
  return `${new Date(unix * 1000).toLocaleDateString("en-CA")} ${clock(unix)}`;
}

export function plural(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

// JSON in which a line holds whatever fits into it; as it is, and cut, where it is endless.
export function json(value) {
  const line = JSON.stringify(value, tidy);
  return line.length <= MOST ? lay(value, "", "") : `${line.slice(0, MOST)} …`;
}

// Without the dust of binary fractions: 396, not 396.00000000000006.
function tidy(_, value) {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(15)) : value;
}

function lay(value, indent, label) {
  const line = JSON.stringify(value, tidy);
  if (value === null || typeof value !== "object") return label + line;
  if (indent.length + label.length + line.length <= 56) return label + line;
  const deeper = `${indent}  `;
  const [opening, closing] = Array.isArray(value) ? "[]" : "{}";
  const items = Object.entries(value).map(([key, item]) => {
    return deeper + lay(item, deeper, Array.isArray(value) ? "" : `${JSON.stringify(key)}: `);
  });
  return `${label}${opening}\n${items.join(",\n")}\n${indent}${closing}`;
}
