import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { appendFileSync, writeFileSync } from "node:fs";
import { FileReader } from "../src/cli/file_reader.ts";
import { LineSplitter } from "../src/cli/line_splitter.ts";
import { runtime, test } from "./harness.ts";
import { folder, lines, numbers, PATIENCE, pmap, start, work } from "./pmap.ts";

/** All lines of some bytes that come in chunks of a size. */
function split(bytes: Uint8Array, size: number): string[] {
  const splitter = new LineSplitter();
  const found: string[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    splitter.push(bytes.subarray(at, at + size));
    for (let line; (line = splitter.next()) !== undefined;) found.push(line);
  }
  const last = splitter.end();
  return last === undefined ? found : [...found, last];
}

test("LineSplitter finds the same lines wherever the chunks end", () => {
  const text = "é€😀\r\n\r\n \n😀 x\ry\nlast € without an end";
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size <= bytes.length; size++) {
    assertEquals(
      split(bytes, size),
      ["é€😀", "", " ", "😀 x\ry", "last € without an end"],
    );
  }
});

test("LineSplitter gives no line for no bytes, and none after the last end", () => {
  assertEquals(split(new Uint8Array(0), 1), []);
  assertEquals(split(new TextEncoder().encode("a\n"), 2), ["a"]);
  assertEquals(split(new TextEncoder().encode("\ufeffa"), 2), ["a"]);
});

test("LineSplitter refuses a line that is too long, also one without an end", () => {
  for (const parts of [["abcd", "ef", "g"], ["a\nbcd", "efg\n"], ["abcdefg"]]) {
    const splitter = new LineSplitter("\n", false, 6);
    const splitAll = () => {
      for (const part of parts) {
        splitter.push(new TextEncoder().encode(part));
        while (splitter.next() !== undefined);
      }
    };
    if (parts.length === 2) splitAll(); // the length of one line, not of two
    else assertThrows(splitAll, RangeError, "more than 6 characters");
  }
});

test("LineSplitter leaves out a byte order mark at the start, and no other", () => {
  for (const mark of ["", "\ufeff"]) {
    const text = `${mark}a\ufeff\n\ufeffb`; // after the mark at the start
    const bytes = new TextEncoder().encode(
      mark === "" ? text : `\ufeff${text}`,
    );
    for (let one = 0; one < bytes.length; one++) {
      for (let next = one; next < bytes.length; next++) {
        const splitter = new LineSplitter();
        const found: (string | undefined)[] = [];
        for (const [from, to] of [[0, one], [one, next], [next]]) {
          splitter.push(bytes.subarray(from, to));
          for (let line; (line = splitter.next()) !== undefined;) {
            found.push(line);
          }
        }
        assertEquals([...found, splitter.end()], [`${mark}a\ufeff`, "\ufeffb"]);
      }
    }
  }
});

test("FileReader reads to the end once, as a terminal needs a Ctrl-D for each", async () => {
  using dir = folder();
  const file = dir.path("growing");
  writeFileSync(file, "a\nb");
  const reader = new FileReader([file], {
    skipBlank: false,
    separator: "\n",
    rows: undefined,
  });
  const found: string[] = [];
  do {
    for (let line; (line = reader.next()) !== undefined;) found.push(line);
    // Read on, this would be another line.
    if (found.includes("b")) appendFileSync(file, "c\n");
  } while (await reader.fill());
  assertEquals(found, ["a", "b"]);
});

test("pmap maps lines of JSON in their order", PATIENCE, async () => {
  const inputs = numbers(5000);
  const { status, out, err } = await pmap([work("double")], lines(inputs));
  assertEquals([status, err], [0, ""]);
  assertEquals(out, lines(inputs.map((n) => 2 * n)));
});

test(
  "pmap keeps the order also when later inputs are done first",
  PATIENCE,
  async () => {
    const args = [work("hurry"), "--workers", "2", "--concurrency", "4"];
    const { out } = await pmap(args, lines(numbers(16)));
    assertEquals(out, lines(numbers(16)));
  },
);

test("pmap --unordered writes results as they come", PATIENCE, async () => {
  const args = [work("hurry"), "--workers=2", "--concurrency=4", "--unordered"];
  const { out } = await pmap(args, lines(numbers(16)));
  const found = out.trim().split("\n").map(Number);
  assertEquals(found.indexOf(0) > 0, true, out);
  assertEquals(found.sort((a, b) => a - b), numbers(16));
});

test(
  "pmap reads CRLF, blank lines and a last line without an end",
  PATIENCE,
  async () => {
    const { status, out } = await pmap([work("double")], "1\r\n\r\n  \n2\n\n3");
    assertEquals([status, out], [0, "2\n4\n6\n"]);
  },
);

test(
  "pmap --lines takes each line as a string, also an empty one",
  PATIENCE,
  async () => {
    const args = [work("default"), "--lines"];
    const { status, out } = await pmap(args, "a\r\n\n é{ \nlast");
    assertEquals([status, out], [0, lines(["A", "", " É{ ", "LAST"])]);
  },
);

test("pmap --args takes the arguments as strings", PATIENCE, async () => {
  const args = [work("default"), "--args", "a", "b c", "--", "-d", "--help"];
  const { status, out } = await pmap(args);
  assertEquals([status, out], [0, lines(["A", "B C", "-D", "--HELP"])]);
});

test(
  "pmap reads files one after another, and standard input as -",
  PATIENCE,
  async () => {
    using dir = folder();
    writeFileSync(dir.path("a"), "1\n2"); // no line end: still a line of its own
    writeFileSync(dir.path("b"), "4\nx\n");
    const files = [dir.path("a"), "-", dir.path("b")];
    const { status, out, err } = await pmap([work("double"), ...files], "3");
    assertEquals([status, out], [1, "2\n4\n6\n8\n"]);
    assertMatch(
      err,
      /Cannot parse input 4 \(line 2 of .*b\) as a line must be/,
    );
  },
);

test("pmap without inputs ends well", PATIENCE, async () => {
  for (const input of ["", "\n", "\r\n \n"]) {
    const { status, out, err } = await pmap([work("double")], input);
    assertEquals([status, out, err], [0, "", ""]);
  }
  const { status, out } = await pmap([work("double"), "--args"]);
  assertEquals([status, out], [0, ""]);
});

test("pmap takes lines and results of 10 MB", PATIENCE, async () => {
  const huge = "é".repeat(5_000_000);
  const args = [work("same"), "--workers", "2"];
  const input = lines([1, huge, 2]);
  const { status, out } = await pmap(args, input);
  assertEquals(status, 0);
  assertEquals(out.length, input.length);
  assertEquals(out === input, true);
});

test(
  "pmap writes a result while its input is still open",
  PATIENCE,
  async () => {
    using running = start([work("double")]);
    const { child, ended } = running;
    for (const n of [1, 2]) {
      const result = new Promise((resolve) =>
        child.stdout!.once("data", resolve)
      );
      child.stdin!.write(`${n}\n`);
      assertEquals(String(await result), `${2 * n}\n`);
    }
    child.stdin!.end();
    assertEquals((await ended).status, 0);
  },
);

test("pmap tells the function the index of its input", PATIENCE, async () => {
  const { out } = await pmap([work("where")], lines(numbers(100)));
  assertEquals(out, lines(numbers(100)));
});

test(
  "pmap keeps what the function logs out of the results",
  PATIENCE,
  async () => {
    const { status, out, err } = await pmap([work("noisy")], "1\n2\n");
    assertEquals([status, out], [0, "1\n2\n"]);
    assertEquals(err.match(/a word|another/g)?.length, 4);
  },
);

test(
  "pmap keeps whatever the function writes out of the results",
  PATIENCE,
  async () => {
    const how = ["table", "dir", "count", "time", "group", "trace", "write"]
      .concat("by name", "by Deno");
    for (const extra of [[], ["--workers", "0"], ["--processes"]]) {
      const args = [work("write"), ...extra, "--args", ...how];
      const { status, out, err } = await pmap(args);
      assertEquals([status, out], [0, lines(how)]);
      for (
        const found of [/a: 1/, /c: 1/, /t: [\d.]+/, /^g$/m, /^W$/m, /^N$/m]
      ) {
        assertMatch(err, found);
      }
      if (runtime !== "deno") continue;
      for (const found of [/^D$/m, /^S$/m]) assertMatch(err, found);
    }
  },
);

test(
  "pmap --workers 0 calls the function without workers",
  PATIENCE,
  async () => {
    const args = [work("double"), "--workers", "0"];
    const { status, out } = await pmap(args, lines(numbers(50)));
    assertEquals([status, out], [0, lines(numbers(50).map((n) => 2 * n))]);
  },
);
