// A page: the lecture itself, with this beside its own script. Presses every
// button, as a reader would, and looks at what comes out.
import axe from "axe-core";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { runTests } from "./report.ts";
import { waiting } from "./waiting.ts";

/** What little of an element is needed. */
interface Found {
  textContent: string;
  hidden: boolean;
  value: string;
  checked: boolean;
  click(): void;
  addEventListener(type: string, listener: () => void): void;
  querySelectorAll(selector: string): Iterable<Found>;
}

const { document } = globalThis as unknown as {
  document: { querySelector(selector: string): Found | null } & Found;
};
const { getComputedStyle } = globalThis as unknown as {
  getComputedStyle(element: Found): { display: string };
};

/** How often a step runs until other programs leave it the time. */
const TRIES = 20;

const complaints: string[] = [];
for (const level of ["error", "warn"] as const) {
  const say = console[level];
  console[level] = (...all: unknown[]) => {
    complaints.push(all.join(" "));
    say(...all);
  };
}
for (
  const type of ["error", "unhandledrejection", "securitypolicyviolation"]
) {
  globalThis.addEventListener(type, (event) => {
    const { message, reason, blockedURI } = event as unknown as Record<
      string,
      unknown
    >;
    complaints.push(`${type}: ${message ?? reason ?? blockedURI}`);
  });
}

function find(selector: string): Found {
  const found = document.querySelector(selector);
  assert(found !== null, `${selector} is not there`);
  return found;
}

const textOf = (selector: string) => find(selector).textContent.trim();

/** Presses a button, and waits until what it began is over: also if it fails. */
async function tryOut(id: string): Promise<string> {
  find(`#${id} .run`).click();
  assert(document.querySelector(".run[aria-disabled]") !== null, `${id} runs`);
  while (document.querySelector(".run[aria-disabled]") !== null) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return textOf(`#${id} .why`);
}

/** The same of what must not fail. */
async function press(id: string): Promise<string> {
  const why = await tryOut(id);
  assert(why !== "" && !why.startsWith("It did not work"), `${id}: ${why}`);
  return why;
}

/** When the bars of a picture begin and end, in s, by its words. */
const spansOf = (id: string) =>
  [...textOf(`#${id} .unseen`).matchAll(/([\d.]+) s to ([\d.]+) s/g)]
    .map(([, from, to]) => ({ from: Number(from), to: Number(to) }));

/** How many of them stand above each other at most. */
function mostAtOnce(id: string): number {
  const spans = spansOf(id);
  const begun = spans.map(({ from: at }) =>
    spans.filter(({ from, to }) => from <= at && at < to).length
  );
  return Math.max(...begun);
}

const barsOf = (id: string, lane = "") =>
  [...find(`#${id}`).querySelectorAll(`${lane} .bar.done`)]
    .map(({ textContent }) => textContent);

function test(name: string, fn: () => Promise<void>): void {
  waiting.push({ name: `the lecture: ${name}`, fn });
}

const SUMS = "Sums: 11 12 13 14 15 6 4 2 4 7";

test("the steps give the sums of the lecture", async () => {
  await press("one");
  assertEquals(textOf("#one .line"), "Sums: 11");
  // Of step 4 alone the speed-up would have nothing to be compared with. So the
  // loop runs first, and is no part of what starting the workers takes.
  const from = performance.now();
  const why = await press("five");
  const all = (performance.now() - from) / 1000;
  const [, start] = /Starting the workers took ([\d.]+) s/.exec(why)!;
  const ran = parseFloat(textOf("#loop [data-of=measured]")) +
    parseFloat(textOf("#five [data-of=measured]"));
  assert(Number(start) + ran < all + 0.02, `${start} + ${ran} of ${all} s`);
  assertMatch(textOf("#loop [data-of=speedup]"), /^1\.0 ×$/);
  for (const id of ["loop", "lazy", "ten", "busy"]) await press(id);
  for (const id of ["loop", "lazy", "five", "ten", "busy"]) {
    assertEquals(textOf(`#${id} .line`), SUMS, id);
    assertMatch(textOf(`#${id} [data-of=measured]`), /^\d+\.\d\d s$/);
    assertMatch(textOf(`#${id} [data-of=speedup]`), /^\d+\.\d ×$/);
  }
  const sums = SUMS.split(" ").slice(1).sort();
  for (const id of ["loop", "lazy", "five", "ten"]) {
    assertEquals(barsOf(id).sort(), sums, id);
  }
  assertEquals(barsOf("busy").length, 30);
  assertEquals(barsOf("five", ".lane:nth-child(n of .lane)").length, 10);
});

test("the strip runs all of them, and shows what they took", async () => {
  await press("strip");
  const ways = [...find("#strip").querySelectorAll(".own")];
  assertEquals(ways.length, 6);
  assertMatch(textOf("#strip .state"), /6 of 6$/);
  assertEquals(textOf("[data-way=loop] b"), "1.0");
});

test("text and picture have one clock", async () => {
  await press("ten");
  assertEquals(textOf("#ten .end"), textOf("#ten [data-of=measured]"));
  assertMatch(textOf("#ten .unseen"), /^worker 1: \d+ from \d+\.\d\d s to \d/);
  const [{ from, to }] = spansOf("ten");
  const end = parseFloat(textOf("#ten .end"));
  assert(from < to && to <= end, `${from} to ${to}`);
});

test("the loop sleeps once at a time, and five workers all at once", async () => {
  await press("loop");
  assertEquals(mostAtOnce("loop"), 1);
  const seen: number[] = [];
  for (let i = 0; i < TRIES && !seen.includes(5); i++) {
    await press("five");
    seen.push(mostAtOnce("five"));
  }
  assertEquals(seen.at(-1), 5, `at once: ${seen}`);
});

test("a guess stands beside what was measured", async () => {
  // Two naps of 0.1 s are no nearer to this, however long they take.
  find('#five [value="0.1"]').checked = true;
  assertMatch(await press("five"), /^You guessed 0\.1 s\. /);
  assertMatch(textOf("#five [data-of=guess]"), /^0\.1 s not quite$/);
  find('#broken [value="0"]').checked = true;
  assertMatch(await press("broken"), /^You were right\. /);
});

test("each worker has a total of its own, and the page has 0", async () => {
  await press("broken");
  assertEquals(textOf("#broken [data-of=total]"), "0");
  const [page, ...workers] = [...find("#broken").querySelectorAll(".totals b")]
    .map(({ textContent }) => Number(textContent));
  assertEquals(page, 0);
  assertEquals(workers[0] + workers[1], 15);
  const added = barsOf("broken").filter((text) => text.startsWith("+"));
  assertEquals(added.sort(), ["+1", "+2", "+3", "+9"]);
});

test("the right ways give 15, or say what they need", async () => {
  await press("returning");
  assertEquals(textOf("#returning [data-of=total]"), "15");
  if (crossOriginIsolated && typeof SharedArrayBuffer === "function") {
    await press("shared");
    assertEquals(textOf("#shared [data-of=total]"), "15");
    assertEquals(textOf("#shared .totals b"), "15");
  } else {
    assertEquals(getComputedStyle(find("#shared .press")).display, "none");
    assertMatch(textOf("#shared .why"), /no shared memory/);
  }
});

test("the reader plays", async () => {
  find("#workers").value = "16";
  find("#steps").value = "3";
  // A nap is 30 ms, and 30 million roots take longer than that.
  find("#seconds").value = "0.01";
  assertMatch(
    await press("play"),
    /^You guessed 0\.01 s\. All ten slept at once.* 6 of the workers had/,
  );
  assertEquals(textOf("#play .line"), SUMS);
  find("#play [value=computing]").checked = true;
  find("#workers").value = "1";
  await press("play");
  assertEquals(textOf("#play [data-of=guess]"), "0.01 s too short");
});

test("a function of the reader's runs, and is judged", async () => {
  find("#fn").value = '(n) => n === 2 ? "<img src=x>" : n * 2';
  find("#inputs").value = "[1, 2, 3]";
  assertMatch(await press("yours"), /faster\. .+\.$/);
  assertEquals(textOf("#yours .results"), '2  "<img src=x>"  6');
  find("#fn").value = "({ id, at }) => ({ at, id: id * 2 })";
  find("#inputs").value =
    "Array.from({ length: 300 }, (_, id) => ({ id, at: new Date(id) }))";
  await press("yours");
  assertMatch(
    textOf("#yours .results"),
    /^\{"at":"1970-01-01T00:00:00.000Z","id":0\} .*"id":20\} .* …$/,
  );
  // The error is that of the input, and not that of the loop beside it.
  find("#fn").value = "(n) => n < 3 ? n : nothing(n)";
  find("#inputs").value = "[1, 2, 3]";
  assertMatch(await tryOut("yours"), /^It did not work\. .*input 2 .*nothing/);
  // In a loop each call sees the context of the loop.
  find("#fn").value =
    "(n, { index }) => { if (n !== index) throw Error('no index'); }";
  find("#inputs").value = "[0, 1, 2]";
  assertMatch(
    await tryOut("yours"),
    /^It did not work\. In a loop it failed: Error: no index\.$/,
  );
});

test("nothing is fetched, and nothing complained of", async () => {
  await Promise.resolve();
  const fetched = performance.getEntriesByType("resource")
    .map(({ name }) => name)
    .filter((name) => !/^(blob|data):|\/report$/.test(name));
  assertEquals(fetched, []);
  assertEquals(complaints, []);
});

test("axe finds nothing", async () => {
  const { violations } = await axe.run();
  assertEquals(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`),
    [],
  );
});

document.addEventListener("DOMContentLoaded", () => void runTests());
