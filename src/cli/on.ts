/**
 * What `--on` means: where a pool of machines is, and what does not go with it.
 * Pure but for NATS_URL.
 *
 * @module
 */

import process from "node:process";
import type { ClusterPlace } from "./seam.ts";
import { UsageError } from "./values.ts";

const FORM =
  "nats://HOST:PORT/POOL, or the name of a pool on the servers in NATS_URL";

/** One server: what lets a program in, and where it is. */
const SERVER =
  /^(?:(nats|tls):\/\/)?(?:(.*)@)?((?:[\w.-]+|\[[\da-f:]+\])(?::\d+)?)\/?$/is;

const POOL = /^[\w-]+$/;

/**
 * Reads the value of `--on`.
 *
 * @param text As it was given.
 * @param flag Its flag, for errors: they show nothing of a password.
 * @param known The servers that the environment names.
 * @returns Where the pool is.
 * @throws {UsageError} When that is not said.
 */
export function readOn(
  text: string,
  flag: string,
  known: string | undefined = process.env.NATS_URL,
): ClusterPlace {
  const fail = (why: string): never => {
    throw new UsageError(
      `Cannot run as ${flag} must be ${FORM}: received "${
        withoutSecrets(text)
      }" (${why})`,
    );
  };
  const [, scheme] = /^(\w+):\/\//.exec(text) ?? [];
  if (scheme !== undefined && !/^(nats|tls)$/i.test(scheme)) {
    return fail(`${scheme}: is not the protocol of NATS`);
  }
  if (scheme === undefined && POOL.test(text)) {
    if (known === undefined || known === "") return fail("NATS_URL is not set");
    const refuse = () =>
      fail("NATS_URL must be addresses such as nats://HOST:PORT");
    return { ...serversIn(known, refuse), pool: text };
  }
  if (scheme === undefined) return fail("it begins with nats://");
  const cut = text.lastIndexOf("/");
  const pool = text.slice(cut + 1);
  if (cut < `${scheme}://`.length || pool === "") {
    return fail("the pool is missing: nats://HOST:PORT/POOL");
  }
  if (!POOL.test(pool)) {
    return fail('the name of a pool has letters, digits, "-" and "_"');
  }
  const servers = serversIn(
    text.slice(0, cut),
    () =>
      fail(
        "a server is HOST:PORT, and in a password all but letters and digits is written as by encodeURIComponent",
      ),
  );
  return { ...servers, pool };
}

/** Takes what lets this program in out of the addresses of servers. */
function serversIn(
  text: string,
  fail: () => never,
): Omit<ClusterPlace, "pool"> {
  const connection: ClusterPlace["connection"] = {};
  const servers = text.split(",").map((one) => {
    const [, scheme, secret, where = fail()] = SERVER.exec(one.trim()) ?? [];
    if (secret !== undefined) {
      Object.assign(connection, readSecret(secret, fail));
    }
    if (/^tls$/i.test(scheme ?? "")) connection.tls = {};
    return `nats://${where}`;
  });
  return { servers, connection };
}

/** Reads a user and a password, or a token. */
function readSecret(
  text: string,
  fail: () => never,
): ClusterPlace["connection"] {
  const [user, ...pass] = text.split(":").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return fail();
    }
  });
  if (user === "" || text.includes("/")) return fail();
  return pass.length === 0
    ? { token: user! }
    : { user: user!, pass: pass.join(":") };
}

/**
 * Leaves out of an address what may be a user, a password or a token.
 *
 * @param text What may be an address.
 * @returns The rest of it.
 */
export function withoutSecrets(text: string): string {
  return text.replace(/^(\w+:\/\/)?.*@/s, "$1…@")
    .replace(/(?<=^\w+:\/\/.*):(?!\d+(?:[/,]|$))[^/,]*/gs, ":…");
}

/** Flags that are about workers of this machine, and what is said of them there. */
const OF_MACHINES: [flag: string, cure: string][] = [
  ["workers", "the slots of each are those of --slots there"],
  ["processes", "--backend processes is said there"],
  ["max-memory", "--max-memory is said there"],
];

/**
 * Checks that nothing is asked for that is decided where machines are started.
 *
 * @param values The flags that were given.
 * @throws {UsageError} When something is.
 */
export function checkWithOn(values: Readonly<Record<string, unknown>>): void {
  if (values.on === undefined) return;
  for (const [flag, cure] of OF_MACHINES) {
    if (values[flag] === undefined) continue;
    throw new UsageError(
      `Cannot run as --${flag} is of this machine, and --on has others do the work: received both (${cure})`,
    );
  }
}
