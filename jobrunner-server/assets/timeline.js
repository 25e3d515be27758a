// A batch over time: what ran, what had passed, what had failed.
(() => {
  "use strict";

  const place = document.querySelector("[data-timeline]");
  if (!place) return;
  let chart;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const series = (label, name, scale) => ({ label, scale, width: 2, stroke: () => colour(name), points: { show: false } });
  const axis = (more) => ({ stroke: () => colour("soft"), grid: { stroke: () => colour("line-soft"), width: 1 }, ticks: { show: false }, font: "12px system-ui", ...more });

  async function draw() {
    const answer = await fetch(place.dataset.timeline);
    if (!answer.ok) return;
    const data = await answer.json();
    if (data[0].length < 2) return;
    if (chart) { chart.setData(data); return; }
    chart = new uPlot({
      width: place.clientWidth, height: 200, cursor: { y: false }, legend: { live: true },
      scales: { y: { range: (_, low, high) => [0, Math.max(high, 1)] }, running: { range: (_, low, high) => [0, Math.max(high, 1)] } },
      axes: [axis({}), axis({ size: 56 }), axis({ scale: "running", side: 1, size: 48, grid: { show: false } })],
      series: [{}, { ...series("running", "running", "running"), fill: () => colour("running-wash") }, series("passed", "passed", "y"), series("failed", "failed", "y")],
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
