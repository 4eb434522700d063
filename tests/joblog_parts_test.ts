import { assert, assertEquals, assertThrows } from "@std/assert";
import { fsyncSync } from "node:fs";
import process from "node:process";
import { createKeys, NumberTable } from "../src/joblog/input_keys.ts";
import { LineReader } from "../src/joblog/line_reader.ts";
import { isLoss, syncFile } from "../src/joblog/log_file.ts";
import {
  formatRecord,
  isOf,
  readRecord,
  resultOf,
} from "../src/joblog/log_record.ts";
import { Turnstile } from "../src/joblog/turnstile.ts";
import { test } from "./harness.ts";
import { folder, namedPipe, openPipe } from "./pmap.ts";
import { seeded } from "./seeded.ts";

/** Puts texts in, and skips those that are undefined when they come out. */
function textTurnstile(ordered: boolean, out: string[]) {
  const turnstile = new Turnstile<string | undefined>(ordered, (text) => {
    if (text !== undefined) out.push(text);
  });
  const put = (index: number, text: string | undefined) =>
    turnstile.put(index, text, text?.length ?? 0);
  return { turnstile, put };
}

test("Turnstile lets results out in order, and skips inputs without one", async () => {
  const out: string[] = [];
  const { turnstile, put } = textTurnstile(true, out);
  put(2, "c");
  put(1, undefined);
  assertEquals(out, []);
  put(0, "a");
  assertEquals(out, ["a", "c"]);
  put(3, "");
  assertEquals(out, ["a", "c", ""]);
  await turnstile.room();
});

test("Turnstile is full until the input that all wait for is done", async () => {
  const out: string[] = [];
  const { turnstile, put } = textTurnstile(true, out);
  const large = "x".repeat(1 << 25);
  for (const index of [1, 2]) put(index, large);
  assertEquals(turnstile.full, false);
  put(3, "y");
  assertEquals(turnstile.full, true);
  const room = turnstile.room();
  put(0, undefined);
  await room;
  assertEquals([turnstile.full, out.length], [false, 3]);
});

test("Turnstile that is not ordered holds nothing", () => {
  const out: string[] = [];
  const { turnstile, put } = textTurnstile(false, out);
  put(5, "f");
  put(0, undefined);
  put(1, "b");
  assertEquals([out, turnstile.full], [["f", "b"], false]);
});

test("createKeys() counts equal inputs", () => {
  const keyOf = createKeys();
  const keys = ["a", "b", "a"].map(keyOf);
  assertEquals(keys.map(({ nth }) => nth), [1, 1, 2]);
  assertEquals(keys[0].digest, keys[2].digest);
  assertEquals(keys[0].digest, "ca978112ca1bbdcafac231b39a23dc4d"); // sha256sum
});

test("resultOf() gives the text that formatRecord() was given", () => {
  const key = createKeys()("a");
  for (const text of ["1e400", '{"x":",\\"result\\":"}', "null", '"é"', "-0"]) {
    const line = formatRecord({
      index: 0,
      key,
      note: {},
      ok: true,
      text,
    });
    assertEquals(resultOf(line.trimEnd()), text);
    JSON.parse(line);
    assertEquals(isOf(line, key), true);
    assertEquals(isOf(line, { ...key, nth: 11 }), false);
  }
});

test("readRecord() reads what formatRecord() writes, whatever notes say", () => {
  const random = seeded(7);
  const drawn = <V>(list: V[]) => list[Math.floor(random() * list.length)];
  const texts = [
    '"',
    ',"ok":true',
    ',"ok":false,"',
    "\\",
    "}",
    "é\ud800",
    "\n",
  ];
  const text = () => drawn(texts) + drawn(texts);
  const names = ["2024", "7", "__proto__", "toJSON", "", "by", '","ok":true'];
  const fields = () => [drawn(names), drawn([text(), 1.5, null])];
  const results = [
    undefined,
    '{"ok":false,"result":1}',
    '",\\"ok\\":true"',
    "5",
  ];
  for (let index = 0; index < 500; index++) {
    const key = createKeys()(text());
    const note = Object.fromEntries([fields(), fields(), fields()]);
    const result = drawn(results);
    const end = drawn([
      { ok: true as const, text: result },
      { ok: false as const, error: text(), stack: text() },
    ]);
    const line = formatRecord({ index, key, note, ...end });
    assertEquals(readRecord(line.trimEnd()), { key, ok: end.ok }, line);
    if (end.ok) assertEquals(resultOf(line.trimEnd()), result, line);
    const said = JSON.parse(line);
    assertEquals([said.index, said.ok], [index, end.ok], line);
    assertEquals({ ...said, ...note }, said, line);
  }
});

test("NumberTable finds what a Map finds", () => {
  const table = new NumberTable();
  const map = new Map<number, number>();
  for (let i = 0; i < 5000; i++) {
    // With many alike in their low bits.
    const key = (i % 3000) * 2 ** (i % 3 === 0 ? 32 : 12);
    table.set(key, i);
    map.set(key, i);
  }
  assertEquals(table.size, map.size);
  for (const [key, value] of map) assertEquals(table.get(key), value);
  assertEquals(table.get(2 ** 52 - 1), undefined);
});

test("LineReader reads no more in vain than a page a line, in whatever order", () => {
  const random = seeded(11);
  const LINES = 20_000;
  const starts = [0];
  for (let line = 0; line < LINES; line++) {
    const bytes = line === 500 ? 3_000_000 : 150 + Math.floor(100 * random());
    starts.push(starts[line] + bytes);
  }
  const file = new Uint8Array(starts[LINES]).map((_, at) => at % 251);
  const inOrder = starts.slice(0, LINES).map((_, line) => line);
  const mixed = (lines: number[]) =>
    lines.map((line) => [random(), line]).sort(([one], [other]) => one - other)
      .map(([, line]) => line);
  const tens = mixed(inOrder.slice(0, LINES / 10))
    .flatMap((ten) => inOrder.slice(10 * ten, 10 * ten + 10));
  const orders: [lines: number[], bytes: number, reads: number][] = [
    // Twice what there is: the first blocks are small.
    [inOrder, 2 * file.length, 30],
    [inOrder.filter((line) => line % 3 === 0), 2 * file.length, 30],
    ...[
      inOrder.toReversed(),
      mixed(inOrder),
      inOrder.map((line) => line % 2 * LINES / 2 + (line >> 1)), // two at once
      tens,
    ].map((lines): [number[], number, number] => [
      lines,
      2 * file.length + 4096 * LINES,
      LINES,
    ]),
  ];
  for (const [lines, mostBytes, mostReads] of orders) {
    let bytes = 0;
    let reads = 0;
    const reader = new LineReader((buffer, at) => {
      const found = file.subarray(at, at + buffer.length);
      buffer.set(found);
      bytes += found.length;
      reads++;
      return found.length;
    });
    for (const line of lines) {
      const [from, to] = [starts[line], starts[line + 1]];
      const found = reader.read(from, to);
      assertEquals([found.length, found[0], found.at(-1)], [
        to - from,
        file[from],
        file[to - 1],
      ]);
    }
    assert(bytes <= mostBytes, `${bytes} bytes`);
    assert(reads <= mostReads, `${reads} reads`);
  }
});

test("isLoss() tells a broken disk from a file system without fsync", () => {
  const error = (code: string) => Object.assign(new Error(code), { code });
  assertEquals(["EIO", "ENOSPC"].map(error).map(isLoss), [true, true]);
  assertEquals(["EINVAL", "ENOTSUP"].map(error).map(isLoss), [false, false]);
});

test(
  "what is written to a file system without fsync is taken for written",
  { ignore: process.platform === "win32" },
  () => {
    using dir = folder();
    using pipe = openPipe(namedPipe(dir)); // it has none either
    assertThrows(() => fsyncSync(pipe.reader));
    syncFile(pipe.reader);
  },
);
