// The keyboard, and its help.
import { $, all } from "./dom.js";

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
