// Starts the browsers of Debian without a driver: each is given a URL, and its
// page tells the rest.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
import { join } from "@std/path";
import { INSECURE_HOST } from "./pages.ts";

/** A browser that runs. */
export interface Running {
  /** Settles when it has ended, with a reason. */
  ended: Promise<string>;
  /** Ends it, with all that it had. */
  end(): Promise<void>;
}

/** A browser that can be had. */
export interface Browser {
  name: BrowserName;
  /**
   * Shows it a page.
   *
   * @param url The page.
   * @param site The site, which is also a proxy for a host that is none.
   */
  start(url: string, site: string): Promise<Running>;
}

/** Those that are tested. */
export type BrowserName = "chromium" | "firefox" | "webkit";

/** What Debian calls them, and what they need. */
export const PACKAGES: Record<BrowserName, string[]> = {
  chromium: ["chromium"],
  firefox: ["firefox-esr"],
  webkit: ["webkit2gtk-driver", "xvfb"],
};

/** Paths of programs of that name in the PATH, or where they were. */
function which(name: string): string | undefined {
  return (process.env.PATH ?? "").split(":").map((folder) => join(folder, name))
    .find(existsSync);
}

/** The browser of WebKitGTK, which is in no PATH. */
function miniBrowser(): string | undefined {
  for (const folder of ["/usr/lib", "/usr/libexec"]) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) {
      for (const version of ["webkit2gtk-4.1", "webkit2gtk-4.0"]) {
        const path = join(folder, name, version, "MiniBrowser");
        if (existsSync(path)) return path;
      }
    }
  }
}

/**
 * Finds a browser.
 *
 * @param name Which.
 * @returns It; undefined if it is not installed.
 */
export function findBrowser(name: BrowserName): Browser | undefined {
  if (name === "chromium") {
    const path = which("chromium");
    if (path === undefined) return undefined;
    return { name, start: (url) => startChromium(path, url) };
  }
  if (name === "firefox") {
    const path = which("firefox-esr") ?? which("firefox");
    if (path === undefined) return undefined;
    return { name, start: (url) => startFirefox(path, url) };
  }
  const [path, display] = [miniBrowser(), which("Xvfb")];
  if (path === undefined || display === undefined) return undefined;
  return { name, start: (...page) => startWebKit(path, display, page) };
}

/** Runs a program with a folder of its own, both of which are gone at the end. */
function launch(
  folder: string,
  [program, ...args]: string[],
  env: Record<string, string> = {},
): Running {
  const child = spawn(program, args, {
    stdio: "ignore",
    detached: true, // a group of its own, with all that it starts
    env: { ...process.env, HOME: folder, ...env },
  });
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(String(error)));
    child.on("exit", (code, signal) => resolve(`it ended: ${signal ?? code}`));
  });
  return {
    ended,
    async end() {
      killGroup(child);
      await ended;
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

const newFolder = () => mkdtempSync(join(tmpdir(), "parallel-map-browser-"));

function startChromium(path: string, url: string): Promise<Running> {
  const folder = newFolder();
  const flags = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=LocalNetworkAccessChecks",
    `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`,
    `--user-data-dir=${folder}`,
  ];
  return Promise.resolve(launch(folder, [path, ...flags, url]));
}

function startFirefox(path: string, url: string): Promise<Running> {
  const folder = newFolder();
  const settings = {
    "network.dns.localDomains": INSECURE_HOST,
    "dom.max_script_run_time": 0, // a page may be busy
    "dom.disable_open_during_load": false,
    "dom.security.https_first": false,
    "app.update.enabled": false,
    "browser.shell.checkDefaultBrowser": false,
    "datareporting.policy.dataSubmissionEnabled": false,
    "datareporting.healthreport.uploadEnabled": false,
    "network.captive-portal-service.enabled": false,
    "network.connectivity-service.enabled": false,
    "browser.aboutwelcome.enabled": false,
    "toolkit.telemetry.reportingpolicy.firstRun": false,
  };
  const lines = Object.entries(settings).map(([name, value]) =>
    `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`
  );
  writeFileSync(join(folder, "user.js"), lines.join("\n"));
  const flags = ["--headless", "--no-remote", "--profile", folder];
  return Promise.resolve(launch(folder, [path, ...flags, url]));
}

async function startWebKit(
  path: string,
  xvfb: string,
  [url, site]: [url: string, site: string],
): Promise<Running> {
  // It finds a free display, and says which.
  const display = spawn(xvfb, ["-displayfd", "1", "-nolisten", "tcp"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [bytes] = await once(display.stdout, "data");
  const flags = [`--proxy=${site}`, "--ignore-host=localhost"];
  const browser = launch(newFolder(), [path, ...flags, url], {
    DISPLAY: `:${String(bytes).trim()}`,
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", // as root it has none
    WEBKIT_DISABLE_COMPOSITING_MODE: "1",
  });
  return {
    ended: browser.ended,
    async end() {
      await browser.end();
      display.kill();
      await once(display, "exit");
    },
  };
}
