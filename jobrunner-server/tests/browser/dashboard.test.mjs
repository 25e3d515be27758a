import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { after, before, test } from "node:test";
import { EMAIL, PASSWORD, Service, text, until } from "./service.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let service;
before(async () => { service = await Service.start({ workers: 4 }); });
after(async () => { await service.stop(); });

const gate = (name) => service.gate(name);
const open = (name) => service.open(name);
const batch = (name, jobs, more) => service.batch(name, jobs, more);

test("a batch that is submitted through the API appears, and its card, bar and totals change live", async () => {
  const page = await service.page();
  const made = await batch("live", [
    service.job("passes", gate("live-1")), service.job("fails", `${gate("live-1")}; exit 3`), service.job("waits", gate("live-2")),
  ]);
  const card = `[data-card="${made.id}"]`;
  await until(page, card, "3 running");
  assert.equal(await page.locator(`${card} .bar rect.is-running`).count(), 1);
  // Unfolded, it shows its jobs, and they change live, too.
  await page.click(`#batch-${made.id} .unfold summary`);
  const members = `#batch-${made.id} .members tr`;
  await until(page, members, "running");
  await until(page, `${members} .lasting`, /^\d+ (s|min)/);
  open("live-1");
  await until(page, `${members}:has-text("waits")`, "running");
  await until(page, `${members}:has-text("fails")`, "exited with code 3");
  await until(page, card, "1 passed");
  await until(page, card, "1 failed");
  await page.locator(`${card} .bar rect.is-passed`).waitFor({ state: "attached" });
  open("live-2");
  await until(page, card, "2 passed");
  await until(page, `${card} .status`, "failed");
  await until(page, "#totals .is-passed", "2");
  await until(page, `${members}:has-text("waits")`, "passed");
  await until(page, `${card} .ago`, /^[1-9]\d* (s|min) ago$/);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a page that nobody can see asks for nothing, and is up to date when it is looked at", async () => {
  const made = await batch("unseen", [service.job("passes", gate("unseen"))]);
  const page = await service.page();
  await page.goto(`${service.url}/batches/${made.id}`);
  await until(page, "#summary", "1 running");
  const show = (isShown) => page.evaluate((isShown) => {
    Object.defineProperty(document, "hidden", { value: !isShown, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isShown);
  await show(false);
  await page.evaluate((id) => {
    const source = new EventSource("/live");
    window.told = new Promise((resolve) => source.addEventListener("batch", (event) => { if (event.data === id) { source.close(); resolve(); } }));
    return new Promise((resolve) => source.addEventListener("ready", resolve));
  }, made.id);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  open("unseen");
  await page.evaluate(() => window.told);
  await service.untilEnded(`/job-batches/${made.id}`);
  assert.deepEqual(asked, []);
  await show(true);
  await until(page, "#summary", "1 passed");
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("the table of a batch changes live, failures come first, filters stand in the URL", async () => {
  const jobs = [...Array(12)].map((_, n) => service.job(`case ${n}`, `${gate(n < 3 ? "table-1" : "table-2")}; echo "assertion ${n} failed" >&2; exit ${n % 2}`));
  const made = await batch("table", jobs, { description: "twelve cases" });
  const page = await service.page();
  await page.goto(`${service.url}/batches/${made.id}`);
  await until(page, "#members", "running");
  open("table-1");
  // Few stand there one by one, more by their causes.
  await until(page, "#failures .failed", "assertion # failed");
  assert.match(await text(page, "#failures .failed"), /case 1\s+exit_code 1/);
  open("table-2");
  await until(page, "#failures .cause", "assertion # failed");
  await until(page, "#summary", "6 passed");
  await page.locator("#cancel").waitFor({ state: "detached" });
  assert.match(await text(page, "#failures .cause >> nth=0"), /6\s+exit_code 1/);
  await page.click("#failures .cause >> text=and 1 more");
  await page.waitForURL(/status=failed&reason=exit_code/);
  assert.equal(await page.locator("#members tbody tr").count(), 6);
  await page.goBack();
  await page.locator("#timeline canvas").waitFor();
  await page.keyboard.press("f");
  await page.waitForURL(/status=failed/);
  assert.equal(await page.locator("#members tbody tr").count(), 6);
  await page.selectOption(".filters [name=reason]", "timeout");
  await page.click(".filters button");
  await page.waitForURL(/reason=timeout/);
  await until(page, "#members", "No job is like that");
  await page.goBack();
  await page.waitForURL((url) => !url.search.includes("timeout"));
  await page.keyboard.press("/");
  await page.keyboard.type("case 5");
  await page.keyboard.press("Enter");
  await page.waitForURL(/name=case\+5/);
  assert.equal(await page.locator("#members tbody tr").count(), 1);
  await page.click("#members td.name a");
  assert.match(await text(page, ".crumbs"), /Batches \/ table \/ case 5/);
  assert.match(await text(page, "#attempts tbody"), new RegExp(`exited with code 1.*${hostname()}`, "s"));
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("headings sort the table of a batch, page by page, and the filters stay", async () => {
  const made = await batch("sorted", [...Array(120)].map((_, n) => service.job(`case & ${n % 10}${Math.floor(n / 10)}`, n === 77 ? gate("sorted") : "true")));
  await service.until(`/job-batches/${made.id}`, (batch) => batch.counts.passed === 119);
  open("sorted");
  await service.untilEnded(`/job-batches/${made.id}`);
  const page = await service.page();
  await page.goto(`${service.url}/batches/${made.id}?status=passed&name=case+%26`);
  const names = () => page.locator("#members td.name").allInnerTexts();
  await page.click("#members th >> text=Name");
  await page.waitForURL(/sort=name/);
  assert.match(page.url(), /status=passed&name=case\+%26/);
  assert.equal(await page.locator("#members th", { hasText: "Name" }).getAttribute("aria-sort"), "ascending");
  const first = await names();
  assert.deepEqual(first, [...first].sort());
  await page.click("text=More jobs");
  await page.waitForURL(/cursor=/);
  const rest = await names();
  assert.deepEqual([first.length, rest.length, first.at(-1) <= rest[0]], [100, 20, true]);
  await page.click("#members th >> text=Name");
  await page.waitForURL(/sort=-name/);
  assert.equal((await names())[0], "case & 99");
  await page.click("#members th >> text=Took");
  await page.waitForURL(/sort=-duration/);
  assert.equal((await names())[0], "case & 77");
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("buttons cancel and rerun", async () => {
  const made = await batch("buttons", [service.job("fails", "exit 1"), service.job("long", "sleep 300")]);
  const page = await service.page();
  page.on("dialog", (dialog) => dialog.accept());
  await page.goto(`${service.url}/batches/${made.id}`);
  await until(page, "#summary", "1 failed");
  await page.click("#cancel button");
  await until(page, "#summary .status", "failed");
  await until(page, "#summary", "1 canceled");
  assert.equal((await service.untilEnded(`/job-batches/${made.id}`)).counts.canceled, 1);
  await page.click("#rerun-failed button");
  await page.waitForURL((url) => !url.pathname.includes(made.id));
  const again = page.url().split("/").pop();
  const rerun = await service.api("GET", `/job-batches/${again}`);
  assert.deepEqual([rerun.rerun_of, rerun.counts.total], [made.id, 2]);
  await page.click("#cancel button");
  await until(page, "#summary", "canceled");
  assert.equal(await page.locator(".strip .run").count(), 2);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("the log of a running job comes live, in colours, and follows until somebody scrolls up", async () => {
  const script = `printf 'one\\n\\033[31mred\\033[0m\\n<b>no markup</b>\\n'; ${gate("log-1")}; seq 500; ${gate("log-2")}; echo the end; ${gate("log-3")}; echo oops >&2`;
  const job = await service.api("POST", "/jobs", service.job("logs", script));
  const page = await service.page();
  await page.goto(`${service.url}/jobs/${job.id}`);
  const log = '.log[data-stream="both"]';
  await until(page, log, "one");
  assert.equal(await text(page, `${log} .f1`), "red");
  assert.equal(await page.locator(`${log} b`).count(), 0);
  open("log-1");
  await until(page, log, "500");
  const untilAtEnd = (isSo) => page.waitForFunction(([log, isSo]) => {
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector(log);
    return (scrollHeight - scrollTop - clientHeight < 4) === isSo;
  }, [log, isSo]);
  await untilAtEnd(true);
  await page.locator(log).hover();
  await page.mouse.wheel(0, -500);
  await page.locator('#follow[aria-pressed="false"]').waitFor();
  open("log-2");
  await until(page, log, "the end");
  await untilAtEnd(false);
  open("log-3");
  await until(page, `${log} .err`, "oops");
  await until(page, "#result .status", "passed");
  // A line has an address of its own, and the whole text is there to be found.
  await page.goto(`${service.url}/jobs/${job.id}?stream=stdout#stdout-2`);
  assert.match(await text(page, "#stdout-2"), /red/);
  assert.equal(await page.locator(".log li", { hasText: "oops" }).count(), 0);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("of long output of a running job the page keeps the head and the tail", async () => {
  const line = "x".repeat(990);
  const job = await service.api("POST", "/jobs", service.job("long", `seq -f '%g ${line}' 8000; ${gate("long")}; echo the end`));
  const page = await service.page();
  await page.goto(`${service.url}/jobs/${job.id}#both-3`);
  const log = '.log[data-stream="both"]';
  await until(page, `${log} .gap ~ .lines`, "8000 xxx");
  await until(page, `${log} .gap`, "characters are not shown here");
  assert.match(await text(page, `${log} li >> nth=0`), /^1 xxx/);
  // The line of the address was gone to when it came.
  assert.equal(await page.locator("#both-3").evaluate((line) => line.matches(":target")), true);
  assert.equal(await page.getAttribute("#follow", "aria-pressed"), "false");
  const size = () => page.locator(log).evaluate((log) => log.textContent.length);
  assert.ok(await size() < 6.1e6, `${await size()}`);
  open("long");
  await until(page, `${log} .gap ~ .lines`, "the end");
  await until(page, "#result .status", "passed");
  await page.reload();
  await until(page, `${log} .gap`, "bytes are not shown here");
  await until(page, `${log} .gap ~ .lines`, "the end");
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a page of very many lines is there in full, each with an address", async () => {
  const job = await service.api("POST", "/jobs", service.job("many", "seq 200000"));
  await service.untilEnded(`/jobs/${job.id}`);
  const page = await service.page();
  await page.goto(`${service.url}/jobs/${job.id}#both-150000`);
  const isSeen = (id) => page.waitForFunction((id) => {
    const [line, log] = [document.getElementById(id), document.querySelector(".log")].map((it) => it.getBoundingClientRect());
    return line.top >= log.top && line.bottom <= log.bottom && line.height > 0;
  }, id);
  await isSeen("both-150000");
  assert.equal(await page.locator(".lines.full").count(), 400);
  assert.equal(await page.locator("#both-200000").textContent(), "200000");
  // The number leads to the address of its line; what is copied is the text alone.
  await page.locator("#both-150001").click({ position: { x: 10, y: 10 } });
  await page.waitForURL(/#both-150001$/);
  await isSeen("both-150001");
  const copied = await page.evaluate(() => {
    getSelection().setBaseAndExtent(document.getElementById("both-150000"), 0, document.getElementById("both-150002"), 1);
    return getSelection().toString();
  });
  assert.equal(copied, "150000\n150001\n150002");
  // A page that brings itself up to date does not ask for the output again.
  const size = (headers) => page.evaluate(async (headers) => (await (await fetch(location.href, { headers })).text()).length, headers);
  assert.ok(await size({}) > 5e6);
  assert.ok(await size({ "X-Refresh": "true" }) < 2e4);
  await page.locator("#both-150002").click({ position: { x: 200, y: 10 } });
  assert.match(page.url(), /#both-150001$/);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("both streams stand in the order in which they were written, live and afterwards", async () => {
  const steps = [`printf 'one, '`, `echo 'first failure' >&2`, `printf '10 %%'`, `printf '\\r20 %%'`, `printf '\\rready\\n'; printf 'second failure' >&2`, `echo two; echo ' of two' >&2`];
  const job = await service.api("POST", "/jobs", service.job("both", steps.map((step, n) => `${gate(`both-${n}`)}; ${step}`).join("; ")));
  const page = await service.page();
  await page.goto(`${service.url}/jobs/${job.id}`);
  const log = '.log[data-stream="both"]';
  for (const [n, seen] of ["one, ", "first failure", "one, 10 %", "20 %", "second failure", "second failure of two"].entries()) {
    open(`both-${n}`);
    await until(page, log, seen);
  }
  await until(page, "#result .status", "passed");
  const lines = async () => (await page.locator(`${log} li`).evaluateAll((all) => all.map((line) => [line.classList.contains("err"), line.textContent.trim()])));
  // As a terminal shows it: what is written over a longer line leaves the rest of that line.
  const expected = [[false, "ready10 %"], [true, "first failure"], [true, "second failure of two"], [false, "two"]];
  assert.deepEqual(await lines(), expected);
  await page.reload();
  assert.deepEqual(await lines(), expected);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a page says that it is cut off, and goes on by itself when the server is back", async () => {
  const other = await Service.start({ workers: 1 });
  try {
    const page = await other.page();
    await other.kill();
    await until(page, "#live-state", "reconnecting…");
    await other.launch(new URL(other.url).host);
    await page.locator("#live-state").waitFor({ state: "hidden" });
    const made = await other.api("POST", "/job-batches", { name: "after the cut", jobs: [other.job("passes", "true")] });
    await until(page, `[data-card="${made.id}"]`, "1 passed");
  } finally {
    await other.stop();
  }
});

test("a viewer has no buttons, and what they would do is refused", async () => {
  await service.account("viewer@example.com", "viewer");
  const made = await batch("not theirs", [service.job("passes", "true")]);
  const page = await service.page("viewer@example.com");
  assert.equal(await page.locator("text=Workers").count(), 0);
  assert.equal(await page.locator(".actions form").count(), 0);
  const refused = await page.evaluate(async (path) => {
    const csrf = document.querySelector("[name=csrf]").value;
    const body = new URLSearchParams({ csrf });
    return (await fetch(path, { method: "POST", body, redirect: "manual" })).status;
  }, `/batches/${made.id}/cancel`);
  assert.equal(refused, 404);
  assert.equal((await page.goto(`${service.url}/batches/${made.id}`)).status(), 404);
  assert.equal((await page.goto(`${service.url}/users`)).status(), 403);
  await page.context().close();
});

test("admins pause a queue and let it go on", async () => {
  await service.api("POST", "/jobs", service.job("first", "true", { queue: "slow" }));
  const page = await service.page();
  await page.goto(`${service.url}/queues`);
  const row = page.locator("#queue-slow");
  await row.locator("text=Pause").click();
  await row.locator("text=paused").waitFor();
  const held = await service.api("POST", "/jobs", service.job("held", "true", { queue: "slow" }));
  const other = await service.api("POST", "/jobs", service.job("other", "true"));
  await service.untilEnded(`/jobs/${other.id}`);
  assert.equal((await service.api("GET", `/jobs/${held.id}`)).status, "waiting");
  await row.locator("text=Go on").click();
  await service.untilEnded(`/jobs/${held.id}`);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("admins make accounts and disable them", async () => {
  const page = await service.page();
  page.on("dialog", (dialog) => dialog.accept());
  await page.goto(`${service.url}/users`);
  await page.fill(".fields [name=email]", "new@example.com");
  await page.fill(".fields [name=password]", PASSWORD);
  await page.click(".fields button");
  const row = page.locator("tr", { hasText: "new@example.com" });
  await row.waitFor();
  const theirs = await service.page("new@example.com");
  await row.locator("text=Disable").click();
  await row.locator("text=disabled").waitFor();
  await theirs.reload();
  await theirs.waitForSelector("text=Sign in");
  await page.click("nav >> text=Audit");
  await page.fill("[name=who]", EMAIL);
  await page.selectOption("[name=action]", "update_user");
  await page.click("text=Filter");
  const event = page.locator("tr.row", { hasText: "new@example.com" });
  await event.locator("text=is active false").waitFor();
  assert.match(page.url(), /action=update_user/);
  await page.context().close();
  await theirs.context().close();
});

test("Authorize in Swagger UI signs in, and a call works", async () => {
  const page = await service.page();
  await page.goto(`${service.url}/docs`);
  await page.click(".auth-wrapper .authorize");
  await page.fill("#oauth_username", EMAIL);
  await page.fill("#oauth_password", PASSWORD);
  await page.click(".auth-container .authorize");
  await page.waitForSelector(".auth-container >> text=Logout");
  await page.click(".btn-done");
  const operation = page.locator(".opblock", { hasText: "/users/me" }).first();
  await operation.locator(".opblock-summary-control").click();
  await operation.locator("text=Try it out").click();
  await operation.locator("text=Execute").click();
  await operation.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();
  assert.match(await operation.locator(".live-responses-table").innerText(), /admin@example\.com/);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("hostile text stays text", async () => {
  const hostile = "<img src=x onerror=\"window.owned=1\"></pre><script>window.owned=1</script>{{7*7}}";
  const made = await batch(hostile, [{ name: hostile, command: ["printf", "%s\\n\\033]0;owned\\007\\033[31m%s", hostile, hostile], env: { X: hostile }, payload: { x: hostile } }], { description: hostile });
  await service.untilEnded(`/job-batches/${made.id}`);
  const page = await service.page();
  const jobs = (await service.api("GET", `/job-batches/${made.id}/jobs`)).items;
  const { series_id: series } = await service.api("GET", `/job-batches/${made.id}/verdict`);
  const tests = (await service.api("GET", `/series/${series}/tests`)).items;
  for (const path of ["/", `/batches/${made.id}`, `/batches/${made.id}?class=passed`, `/batches/${made.id}/compare/${made.id}`, "/series", `/series/${series}`, `/series/${series}?flaky=true`, `/tests/${tests[0].test_id}`, `/jobs/${jobs[0].id}`, "/jobs"]) {
    await page.goto(service.url + path);
    assert.equal(await page.evaluate(() => window.owned), undefined, path);
    assert.equal(await page.locator("main img[src=x]").count(), 0, path);
  }
  await page.goto(`${service.url}/jobs/${jobs[0].id}`);
  assert.match(await text(page, "#both-1"), /<img src=x/);
  await page.context().close();
});

for (const scheme of ["light", "dark"]) {
  test(`nothing hinders anybody in the ${scheme} theme, on a phone neither`, async () => {
    const run = async (fails) => {
      const made = await batch("accessible", [service.job("passes", "echo ok"), service.job("turns", "true; " + fails), service.job("fails", "echo no >&2; exit 2")]);
      await service.untilEnded(`/job-batches/${made.id}`);
      return made;
    };
    const before = await run("echo ok");
    const made = await run("echo no >&2; exit 1");
    const series = (await service.api("GET", "/series?name=accessible")).items[0].id;
    const tests = (await service.api("GET", `/series/${series}/tests`)).items;
    const jobs = (await service.api("GET", `/job-batches/${made.id}/jobs`)).items;
    const options = { colorScheme: scheme, bypassCSP: true };
    await service.api("POST", "/projects", { name: `of-${scheme}` });
    const channel = { type: "webhook", url: "https://hooks.example.com/a-long-path/that-does-not-fit", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
    const told = await service.api("POST", "/notifications", { name: "of the night", on: ["failed"], channel });
    await service.api("POST", `/notifications/${told.id}/test`);
    const paths = ["/", `/?project=of-${scheme}`, `/projects/of-${scheme}`, `/batches/${made.id}`, `/batches/${made.id}?class=passed`, `/batches/${made.id}/compare/${before.id}`, "/series", `/series/${series}`, `/series/${series}?flaky=true`, `/tests/${tests[0].test_id}`, `/jobs/${jobs[0].id}`, "/jobs", "/workers", "/queues", "/projects", "/users", "/audit", "/notifications", `/notifications/${told.id}`, "/docs", "/jobs/01890000-0000-7000-8000-000000000000"];
    // Whoever has nothing yet sees what to do; whoever is not signed in, how to.
    const nobody = `nobody-${scheme}@example.com`;
    await service.account(nobody, "operator");
    const page = await service.page(EMAIL, options);
    const empty = await service.page(nobody, options);
    const door = await service.blankPage(options);
    const looks = [...paths.map((path) => [page, path]), [empty, "/"], [empty, "/series"], [empty, "/jobs"], [empty, "/notifications"], [door, "/"]];
    for (const [page, path] of looks) {
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(service.url + path);
      if (path === "/docs") await page.locator(".opblock").first().waitFor();
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => window.axe.run());
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(serious.map(({ id, nodes }) => [path, id, nodes.length, nodes[0].html, nodes[0].failureSummary]), []);
      await page.setViewportSize({ width: 360, height: 740 });
      const [width, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(width <= shown, `${path} is ${width} wide on a screen of ${shown}`);
    }
    for (const seen of [page, empty, door]) await seen.context().close();
  });
}

test("the theme is kept, help opens, j and k walk through the rows", async () => {
  assert.ok(existsSync(service.directory));
  const page = await service.page(EMAIL, { colorScheme: "light" });
  await page.click("#theme");
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.keyboard.press("?");
  await page.locator("#help[open]").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  assert.equal(await page.evaluate(() => [...document.querySelectorAll(".row")].findIndex((row) => row.classList.contains("at"))), 0);
  await page.context().close();
});
