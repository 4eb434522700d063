// A site on this machine: serves this project to browsers, each file compiled by
// itself, so that stacks name it; and hears what the pages report.

import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "@std/path";
import { HEADERS, INSECURE_HOST, type Kind, type PageSetup } from "./pages.ts";

/** What became of a test in a page; without an outcome, the page is done. */
export interface Report {
  name: string;
  outcome?: "passed" | "skipped" | "failed";
  /** Why it was skipped, or failed. */
  why?: string;
}

/** A site. */
export interface Site {
  /** Its own URL. */
  url: string;
  /** The URL of a page. */
  urlOf(page: PageSetup): string;
  /** Hears what a page reports; gives the URL of the next one, or nothing. */
  onReport: (report: Report) => string;
  /** Hears which file a page asked for in vain. */
  onMissing: (path: string) => void;
  close(): void;
}

/** What files of this project import that browsers find nowhere. */
const STAND_INS: Record<string, string> = {
  "@parallel/map": "mod.ts",
  "@std/assert": "scripts/std/assert/mod.ts",
  "deno-std/assert/mod.js": "node_modules/deno-std/assert/mod.js",
  "node:buffer": "tests/browsers/buffer.ts",
  "node:process": "tests/browsers/process.ts",
};

/** Where a file imports from, if that is no file. */
const IMPORTS =
  /((?:from|import) ?\(?)"(@parallel|@std|deno-std|node:)([^"]*)"/g;

function read(compiled: string, root: string, path: string): string {
  const isSource = /\.ts$/.test(path);
  const file = isSource
    ? join(compiled, path.replace(/\.ts$/, ".js"))
    : join(path.startsWith("node_modules/") ? root : compiled, path);
  return readFileSync(file, "utf8");
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const bytes of request) text += bytes;
  return text;
}

/**
 * Opens the site.
 *
 * @param root The root of this project.
 * @param compiled A folder with its files, compiled one by one.
 * @returns The site.
 */
export async function openSite(root: string, compiled: string): Promise<Site> {
  const server = createServer(async (request, response) => {
    // Pages that are files, or in a sandbox, belong to no site.
    const anyone = { "access-control-allow-origin": "*" };
    // WebKit has the site as its proxy, and asks by whole URLs.
    const url = new URL(request.url!, "http://localhost");
    const [, kind, ...steps] = url.pathname.split("/");
    const path = normalize(steps.join("/"));
    if (kind === "report") {
      const report = JSON.parse(await bodyOf(request)) as Report;
      response.writeHead(200, anyone).end(site.onReport(report));
      return;
    }
    const headers = HEADERS[kind as Kind];
    try {
      if (headers === undefined) throw new Error("no such page");
      const text = path.endsWith(".html")
        ? htmlOf(path)
        : read(compiled, root, path).replace(IMPORTS, (all, from, one, two) => {
          const found = STAND_INS[one + two];
          return found === undefined ? all : `${from}"/${kind}/${found}"`;
        });
      const type = path.endsWith(".html") ? "html" : "javascript";
      response.writeHead(200, {
        "content-type": `text/${type}; charset=utf-8`,
        "cache-control": "no-store",
        ...anyone,
        ...headers,
      }).end(text);
    } catch (error) {
      response.writeHead(404, { "content-type": "text/plain", ...anyone })
        .end(String(error));
      if (path.endsWith("s")) site.onMissing(path);
    }
  });

  /** The page of a script that lies beside it. */
  function htmlOf(path: string): string {
    const script = path.replace(/^.*\/|\.html$/g, "");
    if (script.endsWith(".html")) {
      return readFileSync(join(compiled, script), "utf8");
    }
    const type = script.endsWith(".iife.js") ? "" : ' type="module"';
    return `<!doctype html><meta charset="utf-8"><title>${script}</title><script${type} src="./${script}"></script>`;
  }

  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  const site: Site = {
    url: `http://localhost:${port}`,
    urlOf({ kind, script, search }) {
      const host = kind === "insecure" ? INSECURE_HOST : "localhost";
      return kind === "file"
        ? `file://${compiled}/${script}`
        : `http://${host}:${port}/${kind}/tests/browsers/${script}.html?kind=${kind}&${search}`;
    },
    onReport: () => "",
    onMissing: () => {},
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return site;
}
