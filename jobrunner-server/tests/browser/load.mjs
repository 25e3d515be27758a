// What pages and open streams cost, printed: JOBRUNNER_BINARY=…/target/release/jobrunner node load.mjs
//
// 200 batches and one of 100,000 jobs wait; each page is asked for nine times. Then 500 streams are opened, as
// 500 people who watch would, and jobs are submitted beside them. Then all jobs are run, a tenth of the large batch
// fails, and its pages are asked for meanwhile and afterwards. At last, a long log.
import { execSync } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import { Service } from "./service.mjs";

const STREAMS = 500;
const SUBMITS = 50;

const service = await Service.start({ workers: 0 });
const runner = execSync(`pgrep -P ${service.process.pid}`).toString().trim();
const resident = () => Number(readFileSync(`/proc/${runner}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024;
const job = (name) => service.job(name, "true");

for (let n = 0; n < 200; n++) {
  await service.api("POST", "/job-batches", { name: `nightly ${n}`, jobs: [...Array(20)].map((_, k) => job(`case ${k}`)) });
}
const fails = (k) => service.job(`regression/case_${k}`, `echo "assertion ${k % 7} failed: 0x${k.toString(16)}" >&2; exit 1`);
const jobs = [...Array(100_000)].map((_, k) => ({ ...(k % 10 === 3 ? fails(k) : { name: `regression/case_${k}`, command: ["true"] }), priority: 10 }));
const big = await service.api("POST", "/job-batches", { name: "big", jobs });

const page = await service.page();
const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");

async function get(path) {
  const began = performance.now();
  const answer = await fetch(service.url + path, { headers: { cookie } });
  const body = await answer.text();
  return { took: performance.now() - began, bytes: body.length, status: answer.status };
}

/// Asks for each page nine times; the first time nothing has been worked out before.
async function ask(pages) {
  for (const [what, path] of Object.entries(pages)) {
    const runs = [];
    for (let n = 0; n < 9; n++) runs.push(await get(path));
    const first = runs[0].took;
    runs.sort((a, b) => a.took - b.took);
    console.log(`${what}: ${runs[4].took.toFixed(1)} ms in the middle of nine, ${first.toFixed(1)} ms at first, ${Math.round(runs[4].bytes / 1000)} kB, status ${runs[4].status}`);
  }
}

await ask({ "200 batches": "/", "a batch of 100,000 jobs": `/batches/${big.id}`, "its jobs by name and status": `/batches/${big.id}?status=waiting&name=9999`, "all jobs": "/jobs", "the queues": "/queues" });

async function submits() {
  const began = performance.now();
  for (let n = 0; n < SUBMITS; n++) await service.api("POST", "/jobs", job("beside"));
  return (performance.now() - began) / SUBMITS;
}

const alone = await submits();
const before = resident();
let open = 0;
const agent = new http.Agent({ keepAlive: true, maxSockets: STREAMS });
const streams = [...Array(STREAMS)].map(() => http.get(`${service.url}/live`, { agent, headers: { cookie } }, (answer) => { open += 1; answer.resume(); }));
while (open < STREAMS) await new Promise((resolve) => setTimeout(resolve, 20));
const beside = await submits();
console.log(`${STREAMS} open streams: ${(resident() - before).toFixed(1)} MB; a submission takes ${beside.toFixed(2)} ms beside them, ${alone.toFixed(2)} ms without: ${(beside / alone).toFixed(2)} ×`);
for (const stream of streams) stream.destroy();

await service.kill();
service.workers = 8;
await service.launch(new URL(service.url).host);
const stands = () => service.api("GET", `/job-batches/${big.id}`);

/// How a page fares in a browser while what it shows changes: what its script costs, and what it asks for.
async function watch(what, path, seconds) {
  const asked = [];
  page.on("response", (answer) => asked.push(answer.url()));
  await page.goto(service.url + path);
  const told = await page.evaluate(async (seconds) => {
    const tasks = [];
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((task) => task.duration))).observe({ type: "longtask" });
    const frames = [];
    const end = performance.now() + seconds * 1000;
    for (let last = performance.now(); last < end;) {
      const now = await new Promise((resolve) => requestAnimationFrame(resolve));
      frames.push(now - last);
      last = now;
    }
    frames.sort((a, b) => a - b);
    return { middle: frames[Math.floor(frames.length / 2)], late: frames[Math.floor(frames.length * 0.99)], longest: Math.max(0, ...tasks), busy: tasks.reduce((sum, task) => sum + task, 0) };
  }, seconds);
  page.removeAllListeners("response");
  await page.goto("about:blank");
  console.log(`${what}, watched for ${seconds} s: a frame takes ${told.middle.toFixed(0)} ms in the middle, ${told.late.toFixed(0)} ms at the 99th percentile; tasks of over 50 ms: ${told.busy.toFixed(0)} ms in all, the longest ${told.longest.toFixed(0)} ms; ${asked.length} requests`);
}

const half = (batch) => batch.counts.passed + batch.counts.failed > batch.counts.total / 2;
await watch("200 batches, one of which runs", "/", 15);
await watch("the batch of 100,000 jobs that runs", `/batches/${big.id}`, 15);
while (!half(await stands())) await new Promise((resolve) => setTimeout(resolve, 500));
await ask({ "a batch of 100,000 jobs, half of them ended": `/batches/${big.id}`, "its timeline": `/batches/${big.id}/timeline` });
const ended = await service.untilEnded(`/job-batches/${big.id}`);
console.log(`ended: ${JSON.stringify(ended.counts)} after ${(new Date(ended.finished_at) - new Date(ended.started_at)) / 1000} s`);
await watch("200 batches that run one after another", "/", 4);
const isQuiet = ({ waiting, running }) => waiting + running === 0;
while (!isQuiet(await service.api("GET", "/jobs/stats"))) await new Promise((resolve) => setTimeout(resolve, 500));
await ask({
  "a batch of 100,000 jobs that has ended": `/batches/${big.id}`, "the longest of them": `/batches/${big.id}?sort=-duration`,
  "those that failed": `/batches/${big.id}?status=failed`, "the timeline": `/batches/${big.id}/timeline`, "200 batches that have ended": "/",
});

// A log of very short lines is the worst that a page can have.
const restarted = execSync(`pgrep -P ${service.process.pid}`).toString().trim();
const long = await service.api("POST", "/jobs", service.job("lines", "seq 700000"));
await service.untilEnded(`/jobs/${long.id}`);
await ask({ "a log of 700,000 lines": `/jobs/${long.id}` });
const opened = performance.now();
await page.goto(`${service.url}/jobs/${long.id}`);
const shown = performance.now() - opened;
const peak = () => Number(readFileSync(`/proc/${restarted}/status`, "utf8").match(/VmHWM:\s+(\d+)/)[1]) / 1024;
const low = peak();
await Promise.all([...Array(12)].map(() => get(`/jobs/${long.id}`)));
console.log(`it is shown in a browser after ${shown.toFixed(0)} ms; 12 who ask for it at once make the server ${(peak() - low).toFixed(0)} MB larger than it has ever been`);
await service.stop();
