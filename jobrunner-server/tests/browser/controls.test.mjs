// What people set, choose, download and copy.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Service, text, until } from "./service.mjs";

let service;
before(async () => { service = await Service.start({ workers: 2 }); });
after(async () => { await service.stop(); });

/// What a click on something of a page downloads.
async function downloaded(page, selector) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(selector)]);
  return readFile(await download.path(), "utf8");
}

test("the first page is everybody's or mine, tells what is left, and hatches what was canceled", async () => {
  await service.account("mine@example.com", "operator");
  const theirs = await service.tokenOf("mine@example.com");
  const made = await service.batch("of an operator", [service.job("a", "true"), service.job("b", "sleep 0.3"), service.job("c", service.gate("left"))], {}, theirs);
  const card = `[data-card="${made.id}"]`;

  const own = await service.page("mine@example.com");
  await until(own, card, /2 passed.*about .+ left/s);
  await until(own, "#totals .is-passed", "2");
  await until(own, "#totals .is-running", "1");
  assert.equal(await own.locator("[name=whose]").count(), 0);

  const admin = await service.page();
  await admin.locator(card).waitFor();
  await admin.selectOption("[name=whose]", "mine");
  await admin.click(".filters button");
  await admin.waitForURL(/whose=mine/);
  assert.equal(await admin.locator(card).count(), 0);
  assert.match(await text(admin, "#totals .is-passed"), /^0\s/);

  await service.api("POST", `/job-batches/${made.id}/cancel`);
  const canceled = own.locator(`${card} .bar rect.is-canceled`);
  await canceled.waitFor({ state: "attached" });
  assert.match(await canceled.evaluate((part) => getComputedStyle(part).fill), /#hatch/);
  await until(own, card, "1 canceled");
  assert.deepEqual([...own.problems, ...admin.problems], []);
  await own.context().close();
  await admin.context().close();
});

test("output can be wrapped, found and downloaded, a command copied, results taken as JUnit", async () => {
  const script = `printf 'it'"'"'s %s\\n' "$HOME"; echo ${"long ".repeat(400)}; seq 3000; echo 'the needl''e in it'`;
  const made = await service.batch("outputs", [service.job("prints", script)]);
  await service.untilEnded(`/job-batches/${made.id}`);
  const [job] = (await service.api("GET", `/job-batches/${made.id}/jobs`)).items;
  const page = await service.page();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(`${service.url}/jobs/${job.id}`);

  const hidden = () => page.locator(".log").evaluate((log) => log.scrollWidth - log.clientWidth);
  assert.ok(await hidden() > 1000);
  await page.click("#wrap");
  assert.equal(await page.getAttribute("#wrap", "aria-pressed"), "true");
  assert.equal(await hidden(), 0);

  // What the browser's own search does, on what it had not laid out either.
  const found = (words, backwards) => page.evaluate(([words, backwards]) => find(words, false, backwards) && getSelection().anchorNode.parentElement.closest("li").id, [words, backwards]);
  assert.equal(await found("the needle in it", false), "both-3003");
  assert.equal(await found("1718", true), "both-1720");

  const raw = await downloaded(page, ".pane-head >> text=raw stdout");
  assert.match(raw, /^it's .+\n(long )+long\n1\n2\n[^]*\n3000\nthe needle in it\n$/);

  await page.click("[data-copy]");
  await until(page, "[data-copy]", "Copied");
  const line = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(spawnSync("sh", ["-c", line], { env: { PATH: process.env.PATH, HOME: service.directory } }).stdout.toString(), raw);

  await page.goto(`${service.url}/batches/${made.id}`);
  assert.match(await downloaded(page, "#actions >> text=JUnit"), /<testsuites[^]*<testcase name="prints"/);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("the table of jobs crosses batches, and its filters stand in the URL", async () => {
  for (const name of ["one", "other"]) {
    const made = await service.batch(`table ${name}`, [service.job("cross passes", "true"), service.job("cross fails", "exit 7", { queue: `q-${name}` })]);
    await service.untilEnded(`/job-batches/${made.id}`);
  }
  const page = await service.page();
  await page.goto(`${service.url}/jobs`);
  await page.keyboard.press("/");
  await page.keyboard.type("cross");
  await page.keyboard.press("Enter");
  await page.waitForURL(/name=cross/);
  const rows = async () => (await page.locator("#members tbody tr").allInnerTexts()).map((row) => row.replace(/\s+/g, " "));
  assert.equal((await rows()).length, 4);
  await page.keyboard.press("f");
  await page.waitForURL(/status=failed/);
  const failed = await rows();
  assert.deepEqual(failed.map((row) => row.match(/table (one|other) exited with code 7/)?.[1]), ["other", "one"]);
  await page.fill("[name=queue]", "q-one");
  await page.selectOption("[name=reason]", "exit_code");
  await page.click(".filters button");
  await page.waitForURL((url) => url.search.includes("queue=q-one") && url.search.includes("reason=exit_code"));
  assert.equal((await rows()).length, 1);
  await page.click("#members >> text=table one");
  await until(page, "h1", "table one");
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("admins set roles, limits and weights, see what waits, and drain workers", async () => {
  const other = await Service.start({ workers: 1 });
  try {
    await other.account("set@example.com", "operator");
    const page = await other.page();
    page.on("dialog", (dialog) => dialog.accept());
    await page.goto(`${other.url}/users`);
    const user = async () => (await other.api("GET", "/users")).items.find(({ email }) => email === "set@example.com");
    const row = page.locator("tr", { hasText: "set@example.com" });
    await row.locator("select").selectOption("viewer");
    await Promise.all([page.waitForResponse((answer) => answer.request().method() === "POST"), row.locator("button").nth(0).click()]);
    await page.waitForLoadState("load");
    await row.locator("[name=max_running_jobs]").fill("3");
    await Promise.all([page.waitForResponse((answer) => answer.request().method() === "POST"), row.locator("button").nth(1).click()]);
    await page.waitForLoadState("load");
    const { role, max_running_jobs } = await user();
    assert.deepEqual([role, max_running_jobs], ["viewer", 3]);

    await other.api("POST", "/jobs", other.job("runs", other.gate("never"), { queue: "deep" }));
    await other.api("POST", "/jobs", other.job("waits", "true", { queue: "deep" }));
    await page.goto(`${other.url}/queues`);
    const queue = page.locator("#queue-deep");
    await queue.filter({ hasText: /deep\s*1\s*1\s*\d+ (s|min) ago\s*open/ }).waitFor();
    await queue.locator("[name=weight]").fill("2.5");
    await Promise.all([page.waitForResponse((answer) => answer.request().method() === "POST"), queue.locator("text=Set").click()]);
    assert.equal((await other.api("GET", "/queues")).items.find(({ name }) => name === "deep").weight, 2.5);

    await page.goto(`${other.url}/workers`);
    await until(page, "#workers", /1 of 1.*\d+ (s|min) ago/s);
    await page.click("#workers >> text=Drain");
    await until(page, "#workers tbody", "draining");
    assert.deepEqual(page.problems, []);
  } finally {
    await other.stop();
  }
});

test("members of a project share what belongs to it, and the switch in the header shows that alone", async () => {
  await service.account("ada@example.com", "operator");
  const admin = await service.page();
  await admin.goto(`${service.url}/projects`);
  await admin.fill("[name=name]", "web");
  await admin.fill("[name=description]", "The shop");
  await admin.click("button:text-is(\"Create\")");
  await admin.waitForURL(/\/projects\/web$/);
  assert.match(await text(admin, "main"), /The shop[^]*admin@example.com/);
  const made = await service.batch("of the shop", [service.job("a", "true")], { project: "web" });
  await service.batch("of nobody else", [service.job("a", "true")]);

  const ada = await service.page("ada@example.com");
  await ada.goto(`${service.url}/batches/${made.id}`);
  assert.match(await text(ada, "main"), /nothing here that you may see/);
  assert.equal(await ada.locator("[data-switch]").count(), 0);
  // The page was not found, as it should be.
  ada.problems.length = 0;

  await admin.fill("[type=email]", "ada@example.com");
  await admin.selectOption(".panel [name=role]", "viewer");
  await admin.click("button:text-is(\"Add\")");
  await until(admin, "main", "ada@example.com");
  await ada.goto(service.url);
  await until(ada, `[data-card="${made.id}"]`, "of the shop");
  assert.equal(await ada.locator(`[data-card="${made.id}"] .tag`).innerText(), "web");

  await admin.goto(service.url);
  assert.ok(await admin.locator("[data-card]").count() > 1);
  await admin.selectOption("[data-switch]", "web");
  await admin.waitForURL(/\?project=web$/);
  assert.equal(await admin.locator("[data-card]").count(), 1);
  await admin.click("nav >> text=Jobs");
  await admin.waitForURL(/\/jobs\?project=web$/);
  assert.equal(await admin.locator("#members tbody tr").count(), 1);

  await ada.goto(`${service.url}/projects/web`);
  assert.equal(await ada.locator("main form").count(), 0, "a viewer changes nothing");
  await admin.goto(`${service.url}/projects/web`);
  admin.once("dialog", (dialog) => dialog.accept());
  await admin.locator("tr", { hasText: "ada@example.com" }).locator("text=Remove").click();
  await until(admin, "main", /^(?![^]*ada@example\.com)/);
  await ada.goto(service.url);
  assert.equal(await ada.locator(`[data-card="${made.id}"]`).count(), 0);
  assert.deepEqual([...admin.problems, ...ada.problems], []);
  await ada.context().close();
  await admin.context().close();
});

test("a notification is made, tested, changed and deleted, and its secret is shown once", async () => {
  const page = await service.page();
  await page.goto(`${service.url}/notifications`);
  await page.fill("[name=name]", "tell the team");
  await page.fill("[name=address]", "http://127.0.0.1:9/hook");
  await page.check("[name=new_failures]");
  await page.selectOption("[name=window]", "every");
  await page.fill("[name=every_minutes]", "45");
  await page.click("button:text-is(\"Create\")");
  await until(page, ".secret", /^whsec_/);
  await page.click("text=Send a test");
  await page.waitForURL(/\/notifications\/[-0-9a-f]+\?done=test$/);
  const shown = page.url().replace(/\?.*/, "");
  assert.match(await text(page, "main"), /failed, recovered, new_failures of your batches[^]*gathered every 45 minutes[^]*test/);
  assert.equal(await page.locator(".secret").count(), 0);
  // Whoever delivers it has no permission to go there.
  for (let tries = 0; !/is no public address/.test(await page.locator("main").textContent()); tries++) {
    assert.ok(tries < 100, "the attempt is told");
    await page.waitForTimeout(200);
    await page.goto(shown);
  }
  await page.click("text=Deliver again");
  await page.waitForURL(/done=again$/);
  await page.selectOption("[name=window]", "daily");
  await page.fill("[name=at]", "06:15");
  await page.fill("[name=zone]", "Europe/Berlin");
  await page.selectOption("[name=state]", "disabled");
  await page.click("button:text-is(\"Save\")");
  await page.waitForURL(/done=changed$/);
  assert.match(await text(page, "main"), /disabled[^]*gathered until 06:15 Europe\/Berlin/);
  await page.fill("[name=zone]", "Mars");
  await page.click("button:text-is(\"Save\")");
  await until(page, "[role=alert]", "time zone");
  page.problems.length = 0;
  await page.goto(shown);
  page.once("dialog", (dialog) => dialog.accept());
  await page.click("button:text-is(\"Delete\")");
  await page.waitForURL(/\/notifications$/);
  assert.doesNotMatch(await text(page, "main"), /tell the team/);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});
