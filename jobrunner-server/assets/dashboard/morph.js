// Bringing elements up to date without touching what stays as it is.

/// Makes an element like another, and touches only what differs: what is unfolded, focused or selected stays.
export function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) { from.replaceWith(to.cloneNode(true)); return; }
  if (from.nodeType !== Node.ELEMENT_NODE) { from.nodeValue = to.nodeValue; return; }
  if (from.matches(".members, dialog, input, select")) return;
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !(name === "open" && from.matches("details"))) from.removeAttribute(name);
  }
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value && !name.startsWith("data-htmx")) from.setAttribute(name, value);
  }
  morphChildren(from, to);
}

export function morphChildren(from, to) {
  const known = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const same = wanted.id && known.get(wanted.id);
    if (same) {
      known.delete(wanted.id);
      if (same !== place) from.insertBefore(same, place); else place = place.nextSibling;
      morph(same, wanted);
    } else if (place && !wanted.id && !place.id && place.nodeName === wanted.nodeName) {
      const next = place.nextSibling;
      morph(place, wanted);
      place = next;
    } else {
      const fresh = document.importNode(wanted, true);
      from.insertBefore(fresh, place);
      if (fresh.nodeType === Node.ELEMENT_NODE) window.htmx?.process(fresh);
    }
  }
  while (place) { const next = place.nextSibling; place.remove(); place = next; }
}
