// What a client sends again, with a server that has what the test says.
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Chunk } from "../src/core/engine/chunk.ts";
import { ClientRun, type OpenChunk } from "../src/nats/client_run.ts";
import type { Connection } from "../src/nats/connection.ts";
import type { Machines } from "../src/nats/machines.ts";
import { Upkeep, type UpkeepSetup } from "../src/nats/upkeep.ts";
import { test } from "./harness.ts";
import { pause, until } from "./until.ts";

/** A client with a run for each list of chunks, which its server was sent. */
function open(
  runs: Record<string, number[]>,
  serverTimeout = 60_000,
  workerTimeout = 60_000,
) {
  /** What the server has of each run. */
  const kept: Record<string, number> = {};
  const books = new Map<string, ClientRun>();
  const hooks = {
    onAsk(): void | Promise<void> {},
    /** Tells that there is a server again. */
    reconnect() {},
    flush: () => Promise.resolve(),
    floor: 2,
  };
  const add = (run: string, number: number) => {
    const sent = { number, at: "sent", sends: 1, chunk: {} as Chunk };
    books.get(run)!.open.set(number, sent as OpenChunk);
  };
  for (const [run, chunks] of Object.entries(runs)) {
    books.set(run, new ClientRun({} as never));
    for (const number of chunks) add(run, number);
    kept[run] = chunks.length;
  }
  const info = async (stream: string) => {
    if (stream === "results") return { state: {} };
    await hooks.onAsk();
    const subjects = Object.fromEntries(
      Object.entries(kept).map((
        [run, count],
      ) => [`pm.test.w3.me.${run}`, count]),
    );
    return { state: { first_seq: 3, subjects } };
  };
  const connection = {
    names: { work: "work", results: "results" },
    jsm: { streams: { info } },
    streams: {
      workLeft: () => Promise.resolve({ chunks: 1, floor: hooks.floor }),
      chunksUntil: (_: number, subject: string) =>
        Promise.resolve(subject === "w me 1" ? 1 : 0),
    },
    subject: (...parts: string[]) => parts.join(" "),
    onReconnect: (told: () => void) => hooks.reconnect = told,
    down: 0,
    serverTimeout,
    answerTimeout: 5000,
    nc: { flush: () => hooks.flush() },
  } as unknown as Connection;
  const none = workerTimeout === 1;
  const seen = { look() {}, none, slots: none ? 0 : 1, strangers: [] };
  const machines = seen as unknown as Machines;
  const sent: string[] = [];
  const refused: Error[] = [];
  const upkeep = new Upkeep({
    ...{ connection, machines, books, client: "me", workerTimeout },
    send(key, chunk) {
      chunk.at = "leaving";
      sent.push(`${key}.${chunk.number}`);
    },
    forget() {},
    refuse: (error) => refused.push(error),
    onGivenUp() {},
  } as UpkeepSetup);
  return { books, kept, sent, refused, add, upkeep, hooks };
}

/** A test that asks a client for six seconds or more. */
const LONG = { timeout: 120_000 };

for (const whose of ["other calls", "the same call"]) {
  test(
    `nats: a chunk that was lost is sent again while ${whose} get answers`,
    LONG,
    async () => {
      const { books, kept, sent, add, upkeep } = open({ 1: [1, 2], 2: [3] });
      kept[1]--; // the second is lost
      kept[2]--; // that one comes and goes
      books.get("2")!.open.delete(3);
      upkeep.begin();
      const run = whose === "other calls" ? "2" : "1";
      let number = 10;
      const hear = () => {
        add(run, ++number);
        kept[run]++;
        books.get(run)!.open.delete(number - 1);
        if (number > 11) kept[run]--;
        upkeep.heard();
      };
      const timer = setInterval(hear, 100);
      try {
        await until(() => sent.includes("1.2"), 60_000);
      } finally {
        clearInterval(timer);
        upkeep.end();
      }
      // Which of them it was the server does not say; what came since is there.
      assertEquals(sent.slice(0, 2), ["1.1", "1.2"]);
    },
  );
}

test(
  "nats: a chunk that the server keeps and never hands out is sent again while others use the pool",
  LONG,
  async () => {
    const { sent, upkeep, hooks } = open({ 1: [1], 2: [2] });
    hooks.floor = 4; // what others asked for since is done
    upkeep.begin();
    try {
      await until(() => sent.length > 0);
      assertEquals(sent, ["1.1"]);
    } finally {
      upkeep.end();
    }
  },
);

test(
  "nats: a chunk that was answered between two questions is not sent again",
  LONG,
  async () => {
    const { books, kept, sent, upkeep, add, hooks } = open({ 1: [1] });
    kept[1] = 0; // its answer is on its way
    hooks.onAsk = () => {
      hooks.onAsk = () => {};
      setTimeout(() => {
        books.get("1")!.open.delete(1);
        add("1", 2); // and that one is lost
      });
    };
    upkeep.begin();
    try {
      await until(() => sent.length > 0);
      assertEquals(sent, ["1.2"]);
    } finally {
      upkeep.end();
    }
  },
);

for (const when of ["before", "after"]) {
  test(
    `nats: a question of runs that are over harms no later call: it fails ${when} that begins`,
    LONG,
    async () => {
      // The server must have been silent for a ms, and a look comes after 1 s.
      const { refused, upkeep, hooks } = open({}, 1);
      const asked = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<void>();
      hooks.onAsk = () => {
        asked.resolve();
        return answer.promise;
      };
      upkeep.begin();
      await asked.promise;
      let isAsked = false;
      hooks.onAsk = () => void (isAsked = true);
      upkeep.end(); // the last run is over
      if (when === "after") upkeep.begin();
      answer.reject(new Error("timeout"));
      await pause(0); // whoever waits for it hears it
      upkeep.begin();
      try {
        await until(() => isAsked || refused.length > 0);
        assertEquals(refused, []);
      } finally {
        upkeep.end();
      }
    },
  );
}

for (const what of ["an answer", "what it has"]) {
  test(
    `nats: a question that is lost harms no call whose server said ${what} since`,
    LONG,
    async () => {
      const { refused, upkeep, hooks } = open({}, 1);
      let asked = 0;
      const lost = Promise.withResolvers<void>();
      hooks.onAsk = () => {
        if (++asked === 1) return lost.promise;
      };
      upkeep.begin();
      try {
        await until(() => asked === (what === "an answer" ? 1 : 2));
        await pause(5); // more than a clock that is not exact
        if (what === "an answer") upkeep.heard();
        lost.reject(new Error("timeout"));
        const before = asked;
        await until(() => asked > before || refused.length > 0);
        assertEquals(refused, []);
      } finally {
        upkeep.end();
      }
    },
  );
}

for (const end of ["answers", "says nothing"] as const) {
  test(
    `nats: a call whose question was lost with its server waits for what the next one says, which ${end}`,
    LONG,
    async () => {
      const { refused, upkeep, hooks } = open({}, 1);
      let asked = 0;
      const lost = Promise.withResolvers<void>();
      const silent = Promise.reject(new Error("timeout"));
      silent.catch(() => {}); // heard when it is asked
      hooks.onAsk = () => {
        if (++asked === 1) return lost.promise;
        if (end === "says nothing") return silent;
      };
      upkeep.begin();
      hooks.reconnect(); // so that it asks soon
      try {
        await until(() => asked === 1);
        lost.reject(new Error("closed"));
        hooks.reconnect();
        const answers = end === "answers";
        await until(() => refused.length > 0 || answers && asked === 2);
        // One that is silent all the time is not waited for once more.
        assertEquals([asked, refused.length], [2, answers ? 0 : 1]);
      } finally {
        upkeep.end();
      }
    },
  );
}

test(
  "nats: a call whose server says nothing does not blame machines for it",
  LONG,
  async () => {
    const { refused, upkeep, hooks } = open({}, 60_000, 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    hooks.flush = () => promise;
    const started = upkeep.waitForMachine(() => false);
    started.catch(() => {}); // heard below
    let asked = 0;
    hooks.onAsk = () => {
      asked++;
      return promise;
    };
    upkeep.begin();
    try {
      await until(() => asked > 0 || refused.length > 0);
      assertEquals(refused, []);
      resolve(); // it goes on, and still there is none
      await until(() => refused.length > 0);
      assertMatch(refused[0]!.message, /^there must be a machine/);
      await assertRejects(() => started, Error, "there must be a machine");
    } finally {
      upkeep.end();
    }
  },
);
