// Parts of a page that keep up with what changes.
import { $, all, page, tellConnection } from "./dom.js";
import { morph, morphChildren } from "./morph.js";

// One stream tells what has changed; what the page shows of it is asked for again, at most twice a second, less
// often where the answer takes long, and not while nobody can see the page.

/// Runs `work`, and once more if it was asked for meanwhile, with a pause in between: this one at least, and four
/// times as long as the work took.
function coalesce(work, pause) {
  let running = false, again = false;
  const run = async () => {
    if (running || document.hidden) { again = true; return; }
    running = true;
    again = false;
    const started = performance.now();
    try { await work(); } catch { /* the next change brings it up to date */ }
    setTimeout(() => { running = false; if (again) run(); }, Math.max(pause, 4 * (performance.now() - started)));
  };
  document.addEventListener("visibilitychange", () => { if (again) run(); });
  return run;
}

/// A page, or a part of one; without what does not change, which may be large.
async function fetchPage(url) {
  const answer = await fetch(url, { headers: { Accept: "text/html", "X-Refresh": "true" } });
  if (answer.status === 401) { location.reload(); throw new Error("signed out"); }
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
}

/// Brings the parts of this page up to date that can change.
export const refresh = coalesce(async () => {
  const fresh = new DOMParser().parseFromString(await fetchPage(location.href), "text/html");
  for (const part of all("[data-refresh]")) {
    const now = fresh.getElementById(part.id);
    if (now) morph(part, now);
  }
}, 500);

const cards = new Set();
const refreshCards = coalesce(async () => {
  const ids = [...cards];
  cards.clear();
  // Many at once: the whole page costs less.
  if (ids.length > 8) { refresh(); return; }
  await Promise.all(ids.map(async (id) => {
    const text = await fetchPage(`/batches/${id}/card`);
    const fresh = document.createElement("div");
    fresh.innerHTML = text;
    for (const card of all(`[data-card="${id}"]`)) morphChildren(card, fresh);
  }));
  refreshTotals();
}, 300);

/// What is unfolded of batches that have changed.
const unfolded = new Set();
const refreshUnfolded = coalesce(async () => {
  const ids = [...unfolded];
  unfolded.clear();
  for (const id of ids) {
    const place = $(`#batch-${id} .unfold[open] .members`);
    if (!place) continue;
    const fresh = document.createElement("div");
    fresh.innerHTML = await fetchPage(`/batches/${id}/members`);
    morphChildren(place, fresh);
  }
}, 1000);

function changedUnfolded(id) {
  unfolded.add(id);
  refreshUnfolded();
}

function allChanged() {
  refresh();
  for (const { id } of all(".batch:has(.unfold[open])")) changedUnfolded(id.replace("batch-", ""));
}

const refreshTotals = coalesce(async () => {
  const totals = $("#totals");
  if (!totals) return;
  const fresh = new DOMParser().parseFromString(await fetchPage(location.href), "text/html");
  morph(totals, fresh.getElementById("totals"));
}, 2000);

function changed(id) {
  if (page.live === "home") {
    if ($(`[data-card="${id}"]`)) {
      cards.add(id);
      refreshCards();
      changedUnfolded(id);
    } else if (!location.search) refresh();
  } else if (page.live === "batch") {
    if (id === page.batch) refresh();
  } else if (page.live === "jobs") {
    refresh();
  }
}

if (["home", "batch", "jobs", "job"].includes(page.live)) {
  const source = new EventSource("/live");
  source.addEventListener("ready", () => {
    // What changed between the page and this moment was told to nobody.
    allChanged();
    tellConnection(false);
  });
  source.addEventListener("batch", (event) => changed(event.data));
  source.addEventListener("jobs", () => { if (page.live !== "batch") refresh(); });
  source.addEventListener("missed", allChanged);
  source.addEventListener("error", () => {
    tellConnection(true);
    // A browser gives a stream up whose answer was an error: the session may have ended.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3000);
  });
  addEventListener("pagehide", () => source.close());
} else if (page.live === "workers" || page.live === "queues") {
  setInterval(() => { if (!document.hidden) refresh(); }, 3000);
}

// What is unfolded for the first time is asked for then.
document.addEventListener("toggle", (event) => {
  if (event.target.matches(".unfold[open]")) window.htmx.trigger($(".members", event.target), "unfold");
}, true);
