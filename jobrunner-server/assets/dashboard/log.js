// The output of a job: as it comes, if it runs.
import { $, all, page, tellConnection } from "./dom.js";
import { refresh } from "./live.js";
import { Pane } from "./pane.js";

const followButton = $("#follow");
let follows = true;
let pointed = location.hash.slice(1);

function setFollow(on) {
  follows = on;
  followButton?.setAttribute("aria-pressed", String(on));
  if (on) for (const log of all(".log")) log.scrollTop = log.scrollHeight;
}

if (page.log) {
  const panes = new Map(all(".log").map((log) => [log.dataset.stream, new Pane(log)]));
  const paneOf = (stream) => panes.get(stream) ?? panes.get("both");

  /// Shows what has been added.
  const show = ({ log }) => {
    if (pointed && log.contains(document.getElementById(pointed))) {
      // The line of this page's address has come: to go there now is to go there as if it had been there before.
      pointed = "";
      setFollow(false);
      location.replace(location.hash);
    }
    if (follows) log.scrollTop = log.scrollHeight;
  };

  const source = new EventSource(page.log);
  source.onopen = () => tellConnection(false);
  source.onerror = () => tellConnection(true);
  source.onmessage = (event) => {
    const told = JSON.parse(event.data);
    const pane = paneOf(told.stream);
    if (told.event === "output" && pane) {
      pane.append(told);
      show(pane);
    } else if (told.event === "gap" && pane) {
      pane.say(told.stream, `… ${told.omitted} bytes are not kept …`);
      show(pane);
    } else if (told.event === "status") {
      if (told.attempt > Number(page.attempt ?? 0)) {
        page.attempt = told.attempt;
        for (const other of panes.values()) other.empty();
      }
      refresh();
    } else if (told.event === "end") {
      source.close();
      refresh();
    }
  };
  addEventListener("pagehide", () => source.close());

  for (const { log } of panes.values()) {
    log.addEventListener("wheel", (event) => { if (event.deltaY < 0) setFollow(false); }, { passive: true });
    log.addEventListener("scroll", () => {
      const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 4;
      if (atEnd && !follows) setFollow(true);
    });
    log.addEventListener("keydown", (event) => { if (["ArrowUp", "PageUp", "Home"].includes(event.key)) setFollow(false); });
  }
  followButton?.addEventListener("click", () => setFollow(!follows));
}

// The number of a line leads to its address.
document.addEventListener("click", ({ target, clientX }) => {
  if (!target.matches(".lines li[id]")) return;
  const { width, marginRight } = getComputedStyle(target, "::before");
  if (clientX - target.getBoundingClientRect().left > parseFloat(width) + parseFloat(marginRight)) return;
  setFollow(false);
  location.hash = target.id;
});

$("#wrap")?.addEventListener("click", (event) => {
  const wraps = document.body.classList.toggle("wraps");
  event.currentTarget.setAttribute("aria-pressed", String(wraps));
});
