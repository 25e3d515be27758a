// The real program with a data directory of its own, a browser, and a client of the API.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export const EMAIL = "admin@example.com";
export const PASSWORD = "correct horse battery";

const BINARY = process.env.JOBRUNNER_BINARY ?? new URL("../../../target/debug/jobrunner", import.meta.url).pathname;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

// How long the browser waits for what does not come: only what hangs takes so long, on a machine of any speed.
const PATIENCE = 300_000;

// Nothing of the browser's own goes out to the network.
const FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
  // Chromium refuses to run its sandbox as root.
  ...(process.getuid() === 0 ? ["--no-sandbox"] : [])];

export const text = (page, selector) => page.locator(selector).innerText();
export const until = (page, selector, words) => page.locator(selector).filter({ hasText: words }).first().waitFor();

export class Service {
  static async start({ workers = 2, settings = {} } = {}) {
    const service = new Service();
    service.directory = mkdtempSync(join(tmpdir(), "jobrunner-browser-"));
    service.workers = workers;
    service.settings = settings;
    await service.launch("127.0.0.1:0");
    service.token = await service.tokenOf(EMAIL);
    service.browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS, timeout: PATIENCE });
    return service;
  }

  /// Starts the program on its data, and returns when it is up.
  async launch(listen) {
    this.process = spawn(BINARY, ["up", "--listen", listen, "--workers", `${this.workers}`, "--data-dir", join(this.directory, "data")], {
      cwd: this.directory,
      env: { PATH: process.env.PATH, HOME: this.directory, JOBRUNNER_ADMIN_EMAIL: EMAIL, JOBRUNNER_ADMIN_PASSWORD: PASSWORD, KILL_GRACE_SECONDS: "1", ...this.settings },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.url = await new Promise((resolve, reject) => {
      const said = [];
      createInterface({ input: this.process.stderr }).on("line", (line) => {
        said.push(line);
        const found = line.match(/page\s+(\S+?)\/?$/);
        if (found) resolve(found[1]);
      });
      this.ended.then((code) => reject(new Error(`the service ended with ${code}: ${said.slice(-5).join("; ")}`)));
    });
  }

  /// Ends the program as a crash would.
  async kill() {
    this.process.kill("SIGKILL");
    await this.ended;
  }

  async stop() {
    await this.browser.close();
    this.process.kill("SIGTERM");
    // Once more ends a drain.
    const again = setTimeout(() => this.process.kill("SIGTERM"), 1000);
    await this.ended;
    clearTimeout(again);
    rmSync(this.directory, { recursive: true });
  }

  async tokenOf(email) {
    const body = new URLSearchParams({ username: email, password: PASSWORD });
    const answer = await fetch(`${this.url}/api/v1/auth/token`, { method: "POST", body });
    return (await answer.json()).access_token;
  }

  async api(method, path, body, token = this.token) {
    const headers = { Authorization: `Bearer ${token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(`${this.url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  }

  batch(name, jobs, more = {}, token = this.token) { return this.api("POST", "/job-batches", { name, jobs, ...more }, token); }

  /// A script that waits until somebody opens it.
  gate(name) { return `until test -e '${join(this.directory, name)}'; do sleep 0.05; done`; }

  open(name) { writeFileSync(join(this.directory, name), ""); }

  job(name, script, more = {}) { return { name, command: ["sh", "-c", script], ...more }; }

  async account(email, role) { await this.api("POST", "/users", { email, password: PASSWORD, role }); }

  /// A page of nobody yet.
  async blankPage(options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(PATIENCE);
    return context.newPage();
  }

  /// A page of somebody who has signed in; errors of its scripts are errors of the test.
  async page(email = EMAIL, options = {}) {
    const page = await this.blankPage(options);
    page.problems = [];
    page.on("pageerror", (error) => page.problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) page.problems.push(message.text());
    });
    await page.goto(this.url);
    await page.fill("[name=email]", email);
    await page.fill("[name=password]", PASSWORD);
    await page.click("text=Sign in");
    await page.waitForSelector("#totals");
    // Its scripts run.
    await page.waitForLoadState("load");
    return page;
  }

  untilEnded(path) { return this.until(path, (thing) => thing.finished_at); }

  async until(path, isSo) {
    for (;;) {
      const thing = await this.api("GET", path);
      if (isSo(thing)) return thing;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
