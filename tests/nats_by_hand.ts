// A client and a machine that are spoken to by hand: what they hear may come
// late, twice, or from somebody who means harm.
import type { Msg } from "@nats-io/transport-node";
import { NatsPool, runWorker } from "@parallel/map-nats";
import { Connection } from "../src/nats/connection.ts";
import { Envelopes } from "../src/nats/envelopes.ts";
import {
  type AnswerMessage,
  type ChunkMessage,
  wire,
  WIRE_VERSION,
} from "../src/nats/messages.ts";
import { openStage } from "./nats.ts";

/** What a call of a function that is sent by its source is. */
export const callOf = (fn: (n: never) => unknown, more: object = {}) => ({
  ...{ type: "call", fn: { name: "f", source: String(fn) }, timed: false },
  ...more,
});

/** A chunk of one task or more. */
export const chunkOf = (number: number, values: unknown[], more?: object) => ({
  ...{ type: "chunk", number, first: number, attempt: 1, alone: false },
  ...{ skip: [], values: wire.packing.pack(values, false).packed, ...more },
});

/** Does something around each sealing of a message in this program. */
export function aroundSeals(
  around: (
    seal: () => Promise<Uint8Array>,
    name: string,
    bytes: Uint8Array,
  ) => Promise<Uint8Array>,
): Disposable {
  const { prototype } = Envelopes;
  const { sealBytes } = prototype;
  prototype.sealBytes = function (bytes, name, ...more) {
    const seal = () => sealBytes.call(this, bytes, name, ...more);
    return around(seal, name, bytes);
  };
  return { [Symbol.dispose]: () => void (prototype.sealBytes = sealBytes) };
}

/** A server, a machine on it, and a connection to speak by. */
export async function openByHand(worker: object = {}) {
  const { stack, server, folder } = await openStage();
  const at = { servers: server.servers, pool: "test" };
  const own = { slots: 2, allowShipped: true, ...worker };
  const machine = await runWorker({ ...at, ...own });
  stack.defer(() => machine.close({ finish: false }).catch(() => {}));
  const connection = await Connection.open(at);
  stack.defer(() => connection.close());
  const { envelopes, nc, js } = connection;
  const answers: [client: string, answer: AnswerMessage][] = [];
  let sent = 0;
  nc.subscribe(connection.subject("r", ">"), {
    callback: (_: unknown, { data, subject }: Msg) => {
      const client = subject.split(".")[3]!;
      envelopes.unseal(data, true).then((answer) => {
        answers.push([client, answer as AnswerMessage]);
      });
    },
  });
  return {
    at,
    server,
    folder,
    machine,
    connection,
    /** What machines answered, whose chunk it was before it. */
    answers,
    /** Says what the runs of a client are, to whoever asks; gives what they ask. */
    describe(client: string, call: unknown): string[] {
      const questions: string[] = [];
      nc.subscribe(connection.subject("call", client), {
        callback: (_: unknown, question: Msg) => {
          questions.push(question.string());
          const said = typeof call === "function" ? call(questions) : call;
          envelopes.seal(said, "x").then((said) => question.respond(said));
        },
      });
      return questions;
    },
    /**
     * Sends a chunk of a client; each time as another message, unless its id is
     * given. Says whether the server took it for one that it had.
     */
    async send(
      client: string,
      message: unknown,
      msgID = `${client}.${++sent}`,
    ): Promise<boolean> {
      const body = await envelopes.seal(message, "x");
      const subject = connection.subject("w", client, 1);
      return (await js.publish(subject, body, { msgID })).duplicate;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A server, a client, and a machine of four slots that is played by hand. */
export async function openClient(options: object = {}) {
  const { stack, server } = await openStage();
  const at = { servers: server.servers, pool: "test" };
  const connection = await Connection.open(at);
  stack.defer(() => connection.close());
  const { envelopes, nc, js } = connection;
  const info = { id: "hand", name: "hand", slots: 4, wire: WIRE_VERSION };
  nc.subscribe(connection.subject("hello"), {
    callback: (_, message) => void message.respond(JSON.stringify(info)),
  });
  const chunks: (ChunkMessage & { run: string; client: string })[] = [];
  nc.subscribe(connection.subject("w", ">"), {
    callback: (_: unknown, { data, subject }: Msg) => {
      const [, , , client = "", run = ""] = subject.split(".");
      envelopes.unseal(data, true).then((chunk) => {
        chunks.push({ ...chunk as ChunkMessage, run, client });
      });
    },
  });
  await connection.streams.makeWork();
  const pool = await NatsPool.connect({ ...at, ...options });
  stack.defer(() => pool.close());
  await pool.start();
  return {
    at,
    server,
    connection,
    pool,
    /** Another machine comes. */
    join(id: string, slots: number): void {
      const other = JSON.stringify({ ...info, id, slots });
      nc.publish(connection.subject("here"), other);
    },
    /** What came to the machine, in order. */
    chunks,
    /** Answers a chunk. */
    async answer({ client, run, number }: typeof chunks[0], more: object) {
      const answer = { number, machine: "hand", ...more };
      const body = await envelopes.seal(answer, "x");
      await js.publish(connection.subject("r", client, run), body);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
