// How long ago things were and how long they last, by the clock of the server.
import { all, page } from "./dom.js";

const behind = Date.now() - Number(page.now);
const UNITS = [60, 3600, 86_400];

/// So many whole seconds in minutes, hours and days, as the server says it.
function ago(seconds) {
  const [minutes, hours, days] = UNITS.map((unit) => Math.floor(seconds / unit));
  return days ? `${days} d ago` : hours ? `${hours} h ago` : minutes ? `${minutes} min ago` : `${seconds} s ago`;
}

function lasting(seconds) {
  const [minutes, hours] = UNITS.map((unit) => Math.floor(seconds / unit));
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours} h ${two(minutes % 60)} min` : minutes ? `${minutes} min ${two(seconds % 60)} s` : `${seconds} s`;
}

function tell(selector, say) {
  for (const time of all(selector)) {
    const seconds = Math.max(Math.floor((Date.now() - behind - Date.parse(time.dateTime)) / 1000), 0);
    const said = say(seconds);
    if (time.textContent !== said) time.textContent = said;
  }
}

setInterval(() => {
  if (document.hidden) return;
  tell("time.ago", ago);
  tell("time.lasting", lasting);
}, 1000);
