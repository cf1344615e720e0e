// Freshness: what may be said of a picture, by the receiver's words and by this page's own clock.

import { duration } from "./words.js";

// A picture that is older than its camera's newest frame by more seconds than this is late.
const LATE = 3;

// `facts` are the camera's by the receiver, `heard` when they came; `screen` shows its picture.
// Returns the state in a word, whether the picture may be shown as it is, and a sentence over it.
export function judge(facts, heard, screen, alive, now) {
  const age = facts.age_seconds === null ? null : Math.max(0, facts.age_seconds) + (now - heard) / 1000;
  const since = age === null ? "" : `no frame for ${duration(age)}`;
  if (!alive) {
    const last = age === null ? "" : ` · last frame ${duration(age)} ago`;
    return { state: "unknown", word: "unknown", age, over: `no connection${last}` };
  }
  if (facts.state === "stale" || facts.state === "gone") {
    return { state: facts.state, word: facts.state, age, over: since };
  }
  const shown = screen.age(now);
  if (shown === null) return { state: "waiting", word: facts.state, age, over: screen.trouble };
  if (age !== null && shown > age + LATE) {
    const why = screen.trouble || "waiting for a newer picture";
    return { state: "late", word: "late", age, over: `this picture is ${duration(shown)} old; ${why}` };
  }
  if (facts.state === "frozen") {
    return { state: "frozen", word: "frozen", age, over: "frames come, but the picture never changes" };
  }
  return { state: facts.state, word: facts.state, age, over: screen.trouble };
}
