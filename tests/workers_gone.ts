// Waiting for the end of workers: the sanitizers of Deno look for what is left.

import { runtime } from "./harness.ts";
import { pause, until } from "./until.ts";

/** A Web Lock, as a query lists it. */
interface Lock {
  name: string;
  clientId: string;
}

/**
 * Waits until no worker of this file is waited for: each is by a request for its
 * lock. Other files run in the same process.
 */
export async function workersGone(): Promise<void> {
  if (runtime !== "deno") return;
  const { locks } = navigator as unknown as {
    locks: {
      request<T>(name: string, granted: () => Promise<T>): Promise<T>;
      query(): Promise<{ held: Lock[]; pending: Lock[] }>;
    };
  };
  const mine = crypto.randomUUID();
  const client = await locks.request(mine, async () => {
    const { held } = await locks.query();
    return held.find(({ name }) => name === mine)!.clientId;
  });
  await until(async () => {
    const { pending } = await locks.query();
    return pending.every(({ clientId }) => clientId !== client);
  });
  await pause(10); // what waits for them hears of it
}
