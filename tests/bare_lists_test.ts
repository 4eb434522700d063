// On Bun, a message whose values are texts is sent as one list. What is made of
// that list has to be the message, and nothing that a task posts may pass for
// one of ours, or throw.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Pool } from "../mod.ts";
import { createBareLists } from "../src/core/runtime/bare_lists.ts";
import { SEED } from "./generators/campaign.ts";
import { difference } from "./generators/difference.ts";
import { runtime, test } from "./harness.ts";

const { flatten, restore } = createBareLists();

const TAG = 0.25;
const held = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.double(),
  fc.constantFrom(null, undefined, true, false),
);
const anything = fc.oneof(held, fc.bigInt(), fc.object());

test("a list of texts and the like is the message that it was made of", () => {
  const message = fc.record({
    type: fc.constantFrom("chunk", "done"),
    serial: fc.nat(),
    ms: fc.double(),
    full: fc.constant(true),
  }, { requiredKeys: ["type", "serial"] });
  fc.assert(
    fc.property(message, fc.array(held), (beside, list) => {
      const values = ["text", ...list];
      const whole = { ...beside, values: { as: "list", values } };
      const flat = flatten(whole, TAG);
      assert(flat?.every((part) => Object(part) !== part), "holds an object");
      assertEquals(values.length, list.length + 1, "it was changed");
      const back = restore(structuredClone(flat));
      assertEquals(difference([TAG, whole], back), undefined);
    }),
    { seed: SEED },
  );
});

test("any other message is sent as it is", () => {
  const list = (...values: unknown[]) => ({ as: "list", values });
  for (
    const beside of [
      { values: list() },
      { values: list(1, 2, null) },
      { values: list("a", 5n) },
      { values: list("a", {}) },
      { values: list("a", []) },
      { values: list("a", new Date()) },
      { values: { ...list("a"), encoded: [] } },
      { values: { as: "texts", text: "a", lengths: new ArrayBuffer(4) } },
      { values: list("a"), failures: [] },
      { values: list("a"), run: { number: 1 } },
      {},
    ]
  ) {
    assertEquals(
      flatten({ type: "done", serial: 1, ...beside }, TAG),
      undefined,
    );
  }
});

test("what else arrives throws nothing, and has not our tag", () => {
  const odd = fc.oneof(anything, fc.constantFrom(1, 2, 3, 0, -1, 17, NaN, 2e9));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(odd, fc.constant("type"))),
      odd,
      (list, last) => {
        for (const data of [list, [...list, last], [list], last]) {
          const found = restore(structuredClone(data));
          if (found !== undefined) assert(found[0] !== TAG);
        }
      },
    ),
    { seed: SEED },
  );
  const like = ["a", "type", "done", 1, 5];
  assertEquals(restore(like)?.[0], 5);
  assertEquals(like.length, 5, "a list of a task's was cut");
  // What comes as it is, is not touched.
  for (
    const data of [[TAG, { type: "pong" }], [5, { type: "ready" }], ["a", 1, 2]]
  ) {
    const before = structuredClone(data);
    assertEquals(restore(data), undefined);
    assertEquals(data, before);
  }
});

test(
  "long texts go to a web worker of Bun, and come back, as bare lists",
  { ignore: runtime !== "bun" },
  async () => {
    const { prototype } = Worker;
    const { postMessage: post, addEventListener: add } = prototype;
    let [sent, heard] = [0, 0];
    prototype.postMessage = function (message: unknown, ...more: never[]) {
      if (Array.isArray(message)) sent += message.length;
      post.call(this, message, ...more);
    };
    prototype.addEventListener = function (name: string, hear: unknown) {
      const tell = hear as (event: MessageEvent) => void;
      add.call(this, name, (event) => {
        const { data } = event as MessageEvent;
        // A message with its tag before it has two.
        if (Array.isArray(data) && data.length > 2) heard += data.length;
        tell(event as MessageEvent);
      });
    };
    try {
      await using pool = new Pool({ workers: 1 });
      const texts = Array.from({ length: 900 }, (_, i) => `${i} `.repeat(99));
      const twice = await pool.map((text) => text + text, texts);
      assertEquals(twice, texts.map((text) => text + text));
    } finally {
      Object.assign(prototype, { postMessage: post, addEventListener: add });
    }
    assert(sent > 450, `${sent} of 900 were sent so`);
    assert(heard > 450, `${heard} of 900 came back so`);
  },
);
