// Runs the tests of a page in turn, tells the site what became of each, and goes
// on to the next page.
import { waiting } from "./waiting.ts";

/** What the page is told: by its URL, or by itself if it is a file. */
export const search = new URLSearchParams(
  (globalThis as { toldOfPage?: string }).toldOfPage ?? location.search,
);

/** ms for a test that says nothing else. */
const TIMEOUT_MS = 300_000;

/** Tells the site; it answers with the next page, if this one is done. */
async function tell(report: object): Promise<string> {
  const response = await fetch(search.get("report") ?? "/report", {
    method: "POST",
    body: JSON.stringify(report),
  });
  return await response.text();
}

async function within(ms: number, run: () => unknown): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${ms} ms`)), ms);
  });
  try {
    await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs all tests that were registered. */
export async function runTests(): Promise<void> {
  for (const { name, fn, ignore, timeout = TIMEOUT_MS } of waiting) {
    if (ignore) {
      await tell({ name, outcome: "skipped" });
      continue;
    }
    try {
      await within(timeout, fn);
      await tell({ name, outcome: "passed" });
    } catch (error) {
      const { stack } = error as Error;
      const text = stack?.includes(String(error))
        ? stack
        : `${error}\n${stack}`;
      await tell({ name, outcome: "failed", why: text });
    }
  }
  const next = await tell({ name: "" });
  if (next !== "") location.replace(next);
}
