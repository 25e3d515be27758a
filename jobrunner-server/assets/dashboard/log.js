// The output of a job: as it comes, if it runs.
import { $, all, page, tellConnection } from "./dom.js";
import { refresh } from "./live.js";

/// How many characters of output are shown in full, and how many of the head and of the tail of longer output.
const WHOLE = 5e6, PART = 1e6;

const followButton = $("#follow");
let follows = true;
let pointed = location.hash.slice(1);

function setFollow(on) {
  follows = on;
  followButton?.setAttribute("aria-pressed", String(on));
  if (on) for (const log of all(".log")) log.scrollTop = log.scrollHeight;
}

if (page.log) {
  const panes = new Map(all(".log").map((log) => [log.dataset.stream, { log, open: {}, count: 0, size: 0 }]));
  const paneOf = (stream) => panes.get(stream) ?? panes.get("both");

  const block = () => Object.assign(document.createElement("pre"), { className: "lines" });

  /// Another attempt writes from the beginning.
  const empty = (pane) => {
    pane.log.replaceChildren(block());
    Object.assign(pane, { open: {}, count: 0, size: 0, omitted: 0 });
  };

  /// Keeps a pane within what a browser bears: as on the page of a job that has ended, longer output is shown by
  /// its head and its tail.
  const trim = (pane) => {
    if (pane.size <= WHOLE) return;
    let [head, tail] = all(".lines", pane.log);
    if (!tail) {
      tail = block();
      let kept = 0;
      const first = [...head.children].findIndex((line) => (kept += line.textContent.length) > PART);
      tail.append(...[...head.children].slice(first));
      pane.gap = Object.assign(document.createElement("p"), { className: "gap" });
      pane.omitted = 0;
      pane.log.append(pane.gap, tail);
      pane.size -= head.textContent.length;
    }
    while (pane.size > PART && tail.children.length > 1) {
      const length = tail.firstChild.textContent.length;
      tail.firstChild.remove();
      pane.size -= length;
      pane.omitted += length;
    }
    for (const stream of Object.keys(pane.open)) if (!pane.open[stream].isConnected) delete pane.open[stream];
    pane.gap.textContent = `${pane.omitted.toLocaleString("en")} characters are not shown here: download all by “raw”.`;
  };

  /// Adds output to a pane. A line that was begun goes on where it stands, whatever the other stream wrote since.
  const append = (pane, { stream, html, over }) => {
    const lines = html.split("\n");
    const place = all(".lines", pane.log).at(-1);
    const fragment = document.createDocumentFragment();
    if (over && pane.open[stream]) {
      const [number] = pane.open[stream].children;
      pane.open[stream].replaceChildren(number);
    }
    lines.forEach((text, index) => {
      const isLast = index === lines.length - 1;
      let line = pane.open[stream];
      if (!line) {
        if (isLast && text === "") return;
        pane.count += 1;
        const isMarked = stream === "stderr" && pane.log.dataset.stream === "both";
        line = document.createElement("span");
        line.className = isMarked ? "line err" : "line";
        line.id = `${pane.log.dataset.stream}-${pane.count}`;
        const number = document.createElement("a");
        number.href = `#${line.id}`;
        number.dataset.n = pane.count;
        number.setAttribute("aria-label", `line ${pane.count}${isMarked ? ", stderr" : ""}`);
        line.append(number);
        fragment.append(line);
        pane.open[stream] = line;
      }
      // The server has made safe HTML of it: text and spans with classes.
      line.insertAdjacentHTML("beforeend", text);
      pane.size += text.length + 1;
      if (!isLast) { line.append("\n"); delete pane.open[stream]; }
    });
    place.append(fragment);
    trim(pane);
    if (pointed && pane.log.contains(document.getElementById(pointed))) {
      // The line of this page's address has come: to go there now is to go there as if it had been there before.
      pointed = "";
      setFollow(false);
      location.replace(location.hash);
    }
    if (follows) pane.log.scrollTop = pane.log.scrollHeight;
  };

  const source = new EventSource(page.log);
  source.onopen = () => tellConnection(false);
  source.onerror = () => tellConnection(true);
  source.onmessage = (event) => {
    const told = JSON.parse(event.data);
    const pane = paneOf(told.stream);
    if (told.event === "output" && pane) append(pane, told);
    else if (told.event === "gap" && pane) {
      pane.open = {};
      append(pane, { stream: told.stream, html: `… ${told.omitted} bytes are not kept …\n` });
    }
    else if (told.event === "status") {
      if (told.attempt > Number(page.attempt ?? 0)) {
        page.attempt = told.attempt;
        for (const other of panes.values()) empty(other);
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

$("#wrap")?.addEventListener("click", (event) => {
  const wraps = document.body.classList.toggle("wraps");
  event.currentTarget.setAttribute("aria-pressed", String(wraps));
});
