// Pictures of every page in both themes, for the documents: node screenshots.mjs DIRECTORY
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { EMAIL, Service } from "./service.mjs";

const directory = process.argv[2];
mkdirSync(directory, { recursive: true });
const service = await Service.start({ workers: 8 });

const modules = ["lexer", "parser", "types", "borrowck", "codegen", "linker", "runtime", "stdlib", "docs"];
const cases = (count, failing, takes = "") => [...Array(count)].map((_, n) => {
  const name = `${modules[n % modules.length]}/case_${String(n).padStart(3, "0")}`;
  if (n % failing === failing - 2) return service.job(name, `${takes}echo checking; echo 'assertion failed: left == right' >&2; exit 101`);
  if (n % failing === failing - 5) return service.job(name, "sleep 5", { timeout_seconds: 1 });
  return service.job(name, `${takes}echo ok`, { priority: n % 3 === 0 ? 6 : 5 });
});
const submit = (name, jobs, more = {}) => service.api("POST", "/job-batches", { name, jobs, ...more });

for (const failing of [1000, 60, 1000, 90, 1000, 1000]) {
  const made = await submit("nightly-regression", cases(120, failing), { description: "Regression suite of the compiler, all modules at O2" });
  await service.untilEnded(`/job-batches/${made.id}`);
}
const flaky = await submit("integration", [...cases(60, 1000),
  service.job("network/reconnects", "test $JOBRUNNER_ATTEMPT = 2", { max_attempts: 2 }),
  service.job("network/ipv6", "echo no IPv6 here; exit 77", { skip_exit_codes: [77] })]);
await service.untilEnded(`/job-batches/${flaky.id}`);
const nightly = await submit("nightly-regression", cases(240, 40, "sleep 0.$(shuf -i 15-55 -n 1); "), { description: "Regression suite of the compiler, all modules at O2", payload: { branch: "main", commit: "8f3c2a1" } });
await service.untilEnded(`/job-batches/${nightly.id}`);
const canceled = await submit("fuzz-long", [...Array(30)].map((_, n) => service.job(`seed ${n}`, "sleep 60")));
await new Promise((resolve) => setTimeout(resolve, 300));
await service.api("POST", `/job-batches/${canceled.id}/cancel`);
await service.untilEnded(`/job-batches/${canceled.id}`);
const colours = await service.api("POST", "/jobs", service.job("build with colours",
  "printf '\\033[1mCompiling\\033[0m jobrunner-core v0.1.0\\n'; for i in $(seq 1 9); do printf '\\033[32m   ok\\033[0m test %s ... %s ms\\n' $i $((i*7)); done; printf '\\033[31m FAIL\\033[0m test 10 ... left: 3, right: 4\\n'; printf '\\033[33mwarning\\033[0m: 1 test failed\\n' >&2; exit 1",
  { env: { RUST_BACKTRACE: "1" }, payload: { branch: "main" } }));
await service.untilEnded(`/jobs/${colours.id}`);
const running = await submit("weekly-performance", [...cases(40, 1000), ...[...Array(60)].map((_, n) => service.job(`bench ${n}`, "sleep 30"))]);
await service.api("POST", "/users", { email: "nightly@example.com", role: "operator", is_service: true });
await service.account("ada@example.com", "operator");
await service.account("grace@example.com", "viewer");
await service.api("PATCH", "/queues/default", { weight: 2 });
await service.api("POST", "/projects", { name: "compiler", description: "The compiler and its nightly tests" });
await service.api("PUT", "/projects/compiler/members/ada@example.com", { role: "operator" });
await service.api("PUT", "/projects/compiler/members/nightly@example.com", { role: "operator" });
await service.api("POST", "/tokens", { name: "laptop", scopes: ["read"] });
await service.api("POST", "/tokens", { name: "ci", scopes: ["submit", "control"], expires_at: "2099-01-01T00:00:00Z" });
const [{ id: grace }] = (await service.api("GET", "/users")).items;
await service.api("PATCH", `/users/${grace}`, { role: "operator", max_running_jobs: 4 });
await service.api("POST", `/job-batches/${nightly.id}/rerun`, { only: "failed" });
await service.tokenOf("graze@example.com");

const hook = { type: "webhook", url: "https://hooks.example.com/jobrunner", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
await service.api("POST", "/notifications", { name: "nightly to the team", project: "compiler", on: ["new_failures", "recovered"], channel: { type: "email", to: ["compiler@example.com"] }, window: { at: "07:30", zone: "Europe/Berlin" } });
const told = await service.api("POST", "/notifications", { name: "failures to the chat", on: ["failed"], channel: hook });
await service.api("POST", `/notifications/${told.id}/test`);

await service.api("POST", "/known-issues", { title: "The linker asserts without a linker script", test: "linker/*", pattern: "^assertion failed", effect: "mute", ticket: "https://bugs.example.com/4711" });
const series = (await service.api("GET", "/series")).items.find((it) => it.name === "nightly-regression").id;
const { test_id: test } = (await service.api("GET", `/series/${series}/tests`)).items[0];

const pages = [["batches", "/"], ["batch", `/batches/${nightly.id}`, 1560], ["series", `/series/${series}`, 1000], ["test", `/tests/${test}`, 1000], ["known-issues", "/known-issues"], ["job", `/jobs/${colours.id}`, 1180], ["jobs", "/jobs"], ["workers", "/workers"], ["queues", "/queues"], ["project", "/projects/compiler"], ["users", "/users"], ["account", "/account"], ["audit", "/audit"], ["notifications", "/notifications"], ["notification", `/notifications/${told.id}`], ["docs", "/docs"]];
for (const colorScheme of ["light", "dark"]) {
  const page = await service.page(EMAIL, { colorScheme, viewport: { width: 1280, height: 860 } });
  for (const [name, path, height = 860] of pages) {
    await page.setViewportSize({ width: 1280, height });
    await page.goto(service.url + path);
    await page.waitForTimeout(900);
    await page.screenshot({ path: join(directory, `${name}-${colorScheme}.png`) });
  }
  await page.setViewportSize({ width: 390, height: 800 });
  await page.goto(service.url);
  await page.waitForTimeout(900);
  await page.screenshot({ path: join(directory, `phone-${colorScheme}.png`) });
  await page.context().close();
  const door = await (await service.browser.newContext({ colorScheme, viewport: { width: 1280, height: 860 } })).newPage();
  await door.goto(service.url);
  await door.screenshot({ path: join(directory, `sign-in-${colorScheme}.png`) });
}
await service.api("POST", `/job-batches/${running.id}/cancel`);
await service.stop();
