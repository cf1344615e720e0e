// Parts: elements by the name in their data-is, and text into them.

export function partsOf(element) {
  const parts = {};
  for (const part of element.querySelectorAll("[data-is]")) parts[part.dataset.is] = part;
  return parts;
}

// Returns a copy of the template's first element, and its parts.
export function copyOf(template) {
  const element = document.getElementById(template).content.firstElementChild.cloneNode(true);
  return [element, partsOf(element)];
}

// Text goes into the page by this way only, so nothing a camera or a hook says becomes markup.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function mark(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

// Makes `list` have one child for each of `items`: made by `make`, filled by `fill`.
export function repeat(list, items, make, fill) {
  while (list.children.length > items.length) list.lastElementChild.remove();
  while (list.children.length < items.length) list.append(make());
  items.forEach((item, n) => fill(list.children[n], item));
}
