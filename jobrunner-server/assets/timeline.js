// A batch over time: what ran, what had passed, what had failed.
(() => {
  "use strict";

  const place = document.querySelector("[data-timeline]");
  if (!place) return;
  let chart;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const series = (label, name, scale) => ({ label, scale, width: 2, stroke: () => colour(name), points: { show: false } });
  const axis = (more) => ({ stroke: () => colour("soft"), grid: { stroke: () => colour("line-soft"), width: 1 }, ticks: { show: false }, font: "12px system-ui", ...more });

  // Nothing finer than a second is told.
  const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000];

  // Jobs are counted in whole numbers.
  const incrs = [...Array(7)].flatMap((_, power) => [1, 2, 5].map((digit) => digit * 10 ** power));

  // All times of the pages are UTC.
  const tzDate = (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC");
  const utc = (at) => new Date(at * 1000).toISOString();
  const times = (_plot, splits, _axis, _space, step) =>
    splits.map((at) => (step >= 86_400 ? utc(at).slice(0, 10) : utc(at).slice(11, step >= 60 ? 16 : 19)));

  async function draw() {
    const answer = await fetch(place.dataset.timeline);
    if (!answer.ok) return;
    const data = await answer.json();
    if (data[0].length < 2) return;
    if (chart) { chart.setData(data); return; }
    chart = new uPlot({
      width: place.clientWidth, height: 200, tzDate, cursor: { y: false }, legend: { live: true },
      scales: { y: { range: (_, low, high) => [0, Math.max(high, 1)] }, running: { range: (_, low, high) => [0, Math.max(high, 1)] } },
      axes: [axis({ values: times, incrs: seconds, space: 80 }), axis({ size: 56, incrs, label: "passed, failed", labelSize: 20, labelFont: "12px system-ui" }), axis({ scale: "running", side: 1, size: 48, incrs, grid: { show: false }, label: "running", labelSize: 20, labelFont: "12px system-ui" })],
      series: [{ label: "time (UTC)", value: (_, at) => (at == null ? "--" : utc(at).slice(11, 19)) }, { ...series("running", "running", "running"), fill: () => colour("running-wash") }, series("passed", "passed", "y"), series("failed", "failed", "y")],
    }, data, place);
    addEventListener("resize", () => chart.setSize({ width: place.clientWidth, height: 200 }));
  }

  draw();
  let due = false;
  // What the page shows has changed.
  new MutationObserver(() => {
    if (due) return;
    due = true;
    setTimeout(() => { due = false; draw(); }, 2000);
  }).observe(document.getElementById("summary"), { subtree: true, childList: true, characterData: true });
  document.getElementById("theme")?.addEventListener("click", () => chart?.redraw());
})();
