// What all parts of the dashboard use.

/// What the server says of this page: the `data-` attributes of its body.
export const page = document.body.dataset;

export const $ = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

const state = $("#live-state");

/// Shows whether the page can be told of changes.
export function tellConnection(isLost) {
  state.hidden = !isLost;
  state.textContent = isLost ? "reconnecting…" : "";
}
