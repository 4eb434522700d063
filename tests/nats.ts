// Tests that need a NATS server: each starts one of its own, on a port that is
// free. Where there is none on the machine they are left out, and say so; in CI
// they must run.
import process from "node:process";
import { findServer } from "../src/nats/server.ts";
import { type Options, test } from "./harness.ts";

const found = findServer() !== undefined;
if (!found) {
  const why = "nats-server not found (apt-get install nats-server)";
  if (process.env.NATS_TESTS === "must run") throw new Error(why);
  console.log(`SKIPPED: ${why}`);
}

/**
 * Registers a test that needs a server.
 *
 * @param name Its name.
 * @param options As of any test.
 * @param body Starts the server.
 */
export function natsTest(
  name: string,
  options: Options,
  body: () => Promise<void>,
): void {
  const { ignore = false, timeout = 60_000 } = options;
  test(name, { ignore: ignore || !found, timeout }, body);
}
