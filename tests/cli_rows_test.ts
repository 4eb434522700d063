// pmap --csv and --tsv: rows become objects.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readFileSync, writeFileSync } from "node:fs";
import { LineSplitter } from "../src/cli/line_splitter.ts";
import type { Place } from "../src/cli/places.ts";
import { Places } from "../src/cli/places.ts";
import { type RowForm, Rows } from "../src/cli/rows.ts";
import { test } from "./harness.ts";
import { folder, numbers, PATIENCE, pmap, work } from "./pmap.ts";
import { seeded } from "./seeded.ts";

/** The rows of a text that arrives in pieces, as objects. */
function rowsOf(form: RowForm, text: string, piece = Infinity): unknown[] {
  const bytes = new TextEncoder().encode(text);
  const splitter = new LineSplitter("\n", true);
  const rows = new Rows(form);
  const found: unknown[] = [];
  const take = (line: string | undefined) => {
    const row = line === undefined ? undefined : rows.take(line);
    if (row !== undefined) found.push(JSON.parse(row));
  };
  for (let at = 0; at < bytes.length; at += piece) {
    splitter.push(bytes.subarray(at, at + piece));
    for (let line; (line = splitter.next()) !== undefined;) take(line);
  }
  take(splitter.end());
  assertEquals(rows.isOpen, false);
  return found;
}

/** As another program would write it. */
function csvOf(table: string[][], random: () => number): string {
  const end = random() < 0.5 ? "\n" : "\r\n";
  const lines = table.map((fields) =>
    fields.map((field) =>
      /[",\n\r]/.test(field) || random() < 0.3 ||
        (fields.length === 1 && field.trim() === "")
        ? `"${field.replaceAll('"', '""')}"`
        : field
    ).join(",")
  );
  return lines.join(end) + (random() < 0.5 ? end : "");
}

const PARTS = [
  "a",
  "é",
  "日本",
  "𝄞",
  " ",
  ",",
  '"',
  '""',
  "\n",
  "\r\n",
  "\r",
  "",
];
PARTS.push("\t", "__proto__", "\\", "{}", "0", "\u2028");

test("pmap --csv gives back any table that was written as CSV", () => {
  for (let seed = 0; seed < 1000; seed++) {
    const random = seeded(seed);
    const some = (most: number) => Math.floor(random() * most);
    const text = () =>
      Array.from({ length: some(4) }, () => PARTS[some(PARTS.length)]).join("");
    const columns = 1 + some(4);
    const names = Array.from({ length: columns }, (_, i) => `${i}${text()}`);
    const table = Array.from(
      { length: some(5) },
      () => names.map(() => text()),
    );
    const csv = csvOf([names, ...table], random);
    const pieces = [Infinity, 1 + some(3), 1 + some(20)];
    for (const piece of pieces) {
      assertEquals(
        rowsOf("csv", csv, piece).map((row) =>
          names.map((name) => (row as Record<string, string>)[name])
        ),
        table,
        `seed ${seed}, pieces of ${piece}: ${JSON.stringify(csv)}`,
      );
    }
  }
});

test("pmap --csv takes names in any order, a byte order mark and blank lines", () => {
  assertEquals(rowsOf("csv", '\ufeffb,"a,\r\n"\r\n\r\n1,"x ""y"""\r\n,\n'), [
    { b: "1", "a,\r\n": 'x "y"' },
    { b: "", "a,\r\n": "" },
  ]);
  assertEquals(rowsOf("csv", ""), []);
  assertEquals(rowsOf("csv", "a,b\n"), []);
  const [row] = rowsOf("csv", "__proto__,constructor\n1,2");
  assertEquals(Object.entries(row as object), [
    ["__proto__", "1"],
    ["constructor", "2"],
  ]);
});

test("pmap --tsv takes fields as they stand", () => {
  assertEquals(rowsOf("tsv", 'a\tb\n"x\ty, "\r\n\t\\n\n'), [
    { a: '"x', b: 'y, "' },
    { a: "", b: "\\n" },
  ]);
});

test("pmap --csv says what is wrong with a row", () => {
  const wrong: [text: string, message: string][] = [
    ["a,b\n1\n", "a row must have as many fields as the first, 2: received 1"],
    ["a,b\n1,2,3\n", "as the first, 2: received 3"],
    ["a,b,a\n", 'the names in the first row must differ: received "a" twice'],
    ['a\n"1" \n', "a quoted field must end at a comma or the end of the line"],
    ['a\n"1"2\n', "and a quote in it must be doubled"],
    [
      "a,b\r1,2\r",
      'a line must end in "\\n" or "\\r\\n": received "\\r" alone',
    ],
    [
      'a\n1"2\n',
      'a field with a quote in it must stand in quotes: received "1',
    ],
  ];
  for (const [text, message] of wrong) {
    assertThrows(() => rowsOf("csv", text), SyntaxError, message);
  }
});

test(
  "pmap --csv maps rows, and names the line where one begins",
  PATIENCE,
  async () => {
    using dir = folder();
    const file = dir.path("in.csv");
    writeFileSync(file, 'x,note\r\n1,"two\r\nlines"\r\n2,boom\r\n3,end\r\n');
    const fn =
      "({ x, note }) => { if (note === 'boom') throw x; return note; }";
    const failed = dir.path("failed");
    const args = ["-e", fn, file, "--csv", "--failed", failed];
    const { status, out, err } = await pmap(args);
    assertEquals([status, out], [1, '"two\\r\\nlines"\n"end"\n']);
    assertMatch(err, /Cannot map input 1 \(line 4\) as -e threw "2"/);
    const kept = readFileSync(failed, "utf8");
    assertEquals(kept, '{"x":"2","note":"boom"}\n');
    const again = await pmap([work("same"), failed]);
    assertEquals([again.status, again.out], [0, kept]);
  },
);

test(
  "pmap --csv ends at a row that is none, after the rows before it",
  PATIENCE,
  async () => {
    const args = [work("same"), "--csv"];
    const ragged = await pmap(args, 'a,b\n1,"2\n3"\n4\n5,6\n');
    assertEquals([ragged.status, ragged.out], [3, '{"a":"1","b":"2\\n3"}\n']);
    assertMatch(
      ragged.err,
      /^pmap: Cannot read inputs as a row must have as many fields as the first, 2: received 1, in line 4 of "-"\n$/,
    );
    const open = await pmap(args, 'a\n1\n"2\n3\n');
    assertEquals([open.status, open.out], [3, '{"a":"1"}\n']);
    assertMatch(open.err, /a quoted field must end: .*, in line 3 of "-"/);
  },
);

test(
  "pmap --batch ends at a row that is none, after the rows before it",
  PATIENCE,
  async () => {
    const args = [work("same"), "--csv", "--batch", "2"];
    for (const wrong of ['"x', "4,5\n"]) { // found at the end, and before it
      const { status, out, err } = await pmap(args, `a\n1\n2\n3\n${wrong}`);
      const batches = '[{"a":"1"},{"a":"2"}]\n[{"a":"3"}]\n';
      assertEquals([status, out], [3, batches]);
      assertMatch(err, /^pmap: Cannot read inputs as .* in line 5 of "-"\n$/);
    }
  },
);

test("pmap --tsv and --csv leave out no row but an empty line", () => {
  const tsv = "a\tb\n\t\n\r\n\n \t\n1\t2\r\n";
  assertEquals(rowsOf("tsv", tsv), [
    { a: "", b: "" },
    { a: " ", b: "" },
    { a: "1", b: "2" },
  ]);
  assertEquals(rowsOf("csv", "a\n \n\n1\n"), [{ a: " " }, { a: "1" }]);
});

test("pmap --tsv and --csv take as many columns as there are", () => {
  for (const [form, comma] of [["tsv", "\t"], ["csv", ","]] as const) {
    const names = numbers(200_000).join(comma);
    const [row] = rowsOf(form, `${names}\n${names}\n`) as [object];
    assertEquals(Object.values(row).length, 200_000);
  }
});

test("Places forgets where inputs were whose outcome is known", () => {
  const places = new Places();
  const [waits, late] = [{ ahead: 1, file: "a" }, { ahead: 7, file: "b" }];
  places.add(0, waits);
  for (const index of numbers(5000).slice(1)) {
    places.add(index, { ahead: index, file: undefined });
    if (index > 10) places.forget(index - 5);
  }
  assertEquals(places.of(0), { index: 0, open: 1, ...waits } as Place);
  assertEquals(places.of(4999).ahead, 4999);
  for (
    const index of [
      0,
      ...numbers(6).slice(1),
      ...numbers(5).map((n) => 4995 + n),
    ]
  ) {
    places.forget(index);
  }
  assert(places.count < 10);
  for (const index of numbers(3)) places.add(5000 + index, late);
  places.forget(5001);
  assertEquals(places.of(5002).file, "b");
  const many = new Places();
  for (const index of numbers(20_000)) {
    many.add(index, { ahead: index, file: undefined });
    if (index > 3) many.forget(index - 3);
    else if (index === 3) many.forget(0);
    assert(many.count <= 2010);
  }
});
