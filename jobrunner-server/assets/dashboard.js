// What the pages do by themselves: keep up with changes, keys, the theme, the log. Everything works without,
// only not live.
(() => {
  "use strict";

  const page = document.body.dataset;
  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // ---- Live parts ------------------------------------------------------------------------------------
  // One stream tells what has changed; what the page shows of it is asked for again, at most twice a second, less
  // often where the answer takes long, and not while nobody can see the page.

  const state = $("#live-state");

  function tellConnection(isLost) {
    state.hidden = !isLost;
    state.textContent = isLost ? "reconnecting…" : "";
  }

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

  /// Makes an element like another, and touches only what differs: what is unfolded, focused or selected stays.
  function morph(from, to) {
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

  function morphChildren(from, to) {
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

  async function fetchPage(url) {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (answer.status === 401) { location.reload(); throw new Error("signed out"); }
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.text();
  }

  /// Brings the parts of this page up to date that can change.
  const refresh = coalesce(async () => {
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

  const refreshTotals = coalesce(async () => {
    const totals = $("#totals");
    if (!totals) return;
    const fresh = new DOMParser().parseFromString(await fetchPage(location.href), "text/html");
    morph(totals, fresh.getElementById("totals"));
  }, 2000);

  function changed(id) {
    if (page.live === "home") {
      if ($(`[data-card="${id}"]`)) { cards.add(id); refreshCards(); } else if (!location.search) refresh();
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
      refresh();
      tellConnection(false);
    });
    source.addEventListener("batch", (event) => changed(event.data));
    source.addEventListener("jobs", () => { if (page.live !== "batch") refresh(); });
    source.addEventListener("missed", () => refresh());
    source.addEventListener("error", () => {
      tellConnection(true);
      // A browser gives a stream up whose answer was an error: the session may have ended.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3000);
    });
    addEventListener("pagehide", () => source.close());
  } else if (page.live === "workers" || page.live === "queues") {
    setInterval(() => { if (!document.hidden) refresh(); }, 3000);
  }

  // ---- The log of a job that runs ----------------------------------------------------------------------

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

  // What is unfolded for the first time is asked for then.
  document.addEventListener("toggle", (event) => {
    if (event.target.matches(".unfold[open]")) window.htmx.trigger($(".members", event.target), "unfold");
  }, true);

  // ---- Buttons -------------------------------------------------------------------------------------------

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = $(button.dataset.copy).textContent;
    try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; }
    catch { getSelection().selectAllChildren($(button.dataset.copy)); button.textContent = "Selected"; }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });

  $("#theme")?.addEventListener("click", () => {
    const root = document.documentElement;
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });

  // ---- Keys ----------------------------------------------------------------------------------------------

  const help = $("#help");
  $("#help-button")?.addEventListener("click", () => help.showModal());

  function step(by) {
    const rows = all(".row").filter((row) => row.offsetParent);
    if (!rows.length) return;
    const now = rows.findIndex((row) => row.classList.contains("at"));
    const next = rows[Math.min(Math.max(now + by, 0), rows.length - 1)];
    rows[now]?.classList.remove("at");
    next.classList.add("at");
    next.scrollIntoView({ block: "nearest" });
    $("a", next)?.focus({ preventScroll: true });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea") || help?.open) return;
    if (event.key === "/" && $("[data-search]")) { event.preventDefault(); $("[data-search]").focus(); }
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "?") help?.showModal();
    else if (event.key === "f" && $(".filters [name=status]")) {
      const url = new URL(location.href);
      if (url.searchParams.get("status") === "failed") url.searchParams.delete("status");
      else url.searchParams.set("status", "failed");
      url.searchParams.delete("cursor");
      location.assign(url);
    }
  });
})();
