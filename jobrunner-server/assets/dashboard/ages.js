// How long ago things were, by the clock of the server.
import { all, page } from "./dom.js";

const behind = Date.now() - Number(page.now);

function ago(since) {
  const seconds = Math.max(Math.floor((Date.now() - behind - Date.parse(since)) / 1000), 0);
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit));
  return days ? `${days} d ago` : hours ? `${hours} h ago` : minutes ? `${minutes} min ago` : `${seconds} s ago`;
}

setInterval(() => {
  if (document.hidden) return;
  for (const time of all("time.ago")) {
    const now = ago(time.dateTime);
    if (time.textContent !== now) time.textContent = now;
  }
}, 5000);
