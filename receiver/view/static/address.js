// Address: what to ask of GET /live.

// Pictures a second for each of so many on the screen, where nobody chose another rate.
const RATES = [[4, null], [12, 10], [Infinity, 5]];

// By what is open now.
export function liveAddress({ player, large, wall, choices, panel }) {
  // Behind a recording only the states go on.
  if (player.open) return "live?show=";
  const results = panel.opened === "results";
  const chosen = { view: choices.get("view"), fps: choices.get("fps") };
  if (!large.open) return wallAddress(wall.wish(), chosen, results);
  const { views, width, ...how } = large.wish;
  return largeAddress(large.name, views, how, width, results);
}

function wallAddress({ shows, count, width }, { view, fps }, results) {
  const query = new URLSearchParams({ view });
  const rate = fps === "auto" ? RATES.find(([most]) => count <= most)[1] : Number(fps) || null;
  if (rate) query.set("fps", rate);
  if (width) query.set("width", width);
  if (results) query.set("results", 1);
  if (shows !== null) for (const name of shows.length ? shows : [""]) query.append("show", name);
  return `live?${query}`;
}

function largeAddress(name, views, { fps, quality }, width, results) {
  const query = new URLSearchParams();
  if (Number(fps)) query.set("fps", fps);
  // Anything but "as it was sent" is also no larger than the screen shows it.
  if (Number(quality)) {
    query.set("quality", quality);
    query.set("width", width);
  }
  if (results) query.set("results", 1);
  for (const view of views) query.append("show", `${name};view=${view}`);
  return `live?${query}`;
}
