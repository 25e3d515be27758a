// What the pages do by themselves: keep up with changes, keys, the theme, the log. Everything works without,
// only not live.
import "./dashboard/ages.js";
import "./dashboard/buttons.js";
import "./dashboard/keys.js";
import "./dashboard/live.js";
import "./dashboard/log.js";
