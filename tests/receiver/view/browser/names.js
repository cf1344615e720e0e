// The controls on the screen that have no name.
() => [...document.querySelectorAll("button, select, input, a[href], summary, [role=img], [tabindex='0']")]
  .filter((each) => each.checkVisibility())
  .filter((each) => !(each.getAttribute("aria-label") || each.textContent.trim()
    || [...(each.labels ?? [])].some((label) => label.textContent.trim())))
  .map((each) => each.outerHTML)
