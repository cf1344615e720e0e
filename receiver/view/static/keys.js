// Keys: which key does what, where a key is not meant for the control that has the focus.

// Runs what `acts` has for the key that was pressed.
export function press(event, acts) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  const on = event.target;
  if (on.matches("input:not([type=radio]), textarea, select")) return;
  // A button has the space key for itself, a choice the arrows.
  if (event.key === " " && on.matches("button, a, summary, input")) return;
  if (event.key.startsWith("Arrow") && on.matches("input, [role=tab], pre")) return;
  const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}
