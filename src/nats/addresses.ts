/**
 * The addresses of servers: what stands in them, and what to do when nobody
 * there lets this program in.
 *
 * @module
 */

import type { NodeConnectionOptions } from "@nats-io/transport-node";
import { nameThrown } from "@parallel/map/seam";
import type { ClusterOptions } from "./options.ts";

/**
 * Names the servers for messages.
 *
 * @param servers As they were given.
 * @returns Their addresses without passwords.
 */
export function showServers(servers: string | readonly string[]): string {
  return splitList(servers).map((server) =>
    server.replace(/^(\w+:\/\/)?.*@/s, "$1")
      // What is no port may be half of a password with a comma in it.
      .replace(/^((?:\w+:\/\/)?[^:[\]]*):(?!\/\/|\d+(?:\/|$)).*/s, "$1:…")
  ).join(", ");
}

/**
 * Takes out of addresses what the client of NATS does not read there: a user and
 * a password, or a token; and that "tls://" demands TLS, which by itself it does
 * not.
 *
 * @param options Where to, and how.
 * @returns Options of a connection to them.
 */
export function connectionOptions(
  options: ClusterOptions,
): NodeConnectionOptions {
  const found: NodeConnectionOptions = {};
  const own: NodeConnectionOptions = { ...options.connection };
  const servers = splitList(options.servers).map((server) => {
    if (/^tls:\/\//i.test(server)) own.tls ??= {};
    // To the last @, so that nothing of them is taken for a host, and shown.
    const [, scheme = "", secret, rest] = /^(\w+:\/\/)?(?:(.*)@)?([^@]*)$/s
      .exec(server)!;
    if (secret === undefined) return server;
    const [user, ...pass] = secret.split(":");
    const name = decodeURIComponent(user!);
    if (pass.length === 0) found.token = name;
    else {
      Object.assign(found, {
        user: name,
        pass: decodeURIComponent(pass.join(":")),
      });
    }
    return scheme + rest;
  });
  return { servers, ...found, ...own };
}

function splitList(servers: string | readonly string[]): string[] {
  return [servers].flat().flatMap((text) => text.split(",")).map((text) =>
    text.trim()
  );
}

/** What is wrong, by what the client of NATS says, and what to do about it. */
const CURES: [said: RegExp, cure: string][] = [
  [
    /authorization/i,
    "a user and a password, or a token, stand before the @ of its address, written as by encodeURIComponent",
  ],
  [
    /URI malformed|URI error/i,
    "in a password before the @ of its address, all but letters and digits is written as by encodeURIComponent",
  ],
  // Such as none after a comma, or half of a password with one in it.
  [
    /Invalid URL/i,
    "an address is nats://HOST:PORT; several have commas between them, and in a password before the @ all but letters and digits is written as by encodeURIComponent",
  ],
  [/connection refused/i, "start one with: nats-server -js"],
  [
    /timeout/i,
    "start one with: nats-server -js; one that asks its clients for certificates must get one: tls: { certFile, keyFile }",
  ],
  // Of whoever signed its certificate, or of nobody.
  [
    /unable to verify|self.signed|UnknownIssuer|issuer cert/i,
    'name the certificate of whoever signed its own: connection: { tls: { caFile: "ca.pem" } }, or --ca ca.pem',
  ],
  // Of an IP address, Deno 2.9.5 and Node.js 24 look for "localhost" in there.
  [/altnames/, "give the name in its certificate, no number: tls://NAME:PORT"],
  [
    /does not support 'tls'/,
    "start it with a certificate: tls { cert_file, key_file } in its configuration",
  ],
];

/**
 * Says why there is no connection.
 *
 * @param options Where to.
 * @param thrown What the client of NATS threw.
 * @returns An error that names the cure, if one is known.
 */
export function connectError(options: ClusterOptions, thrown: unknown): Error {
  // Deno 2.9.5 says which, and it may be half of a password with a comma in it.
  const cause = /Invalid URL/i.test(nameThrown(thrown))
    ? new TypeError("Invalid URL")
    : thrown;
  const said = nameThrown(cause);
  const where = showServers(options.servers);
  // The client, told never to use TLS, reads the files that it would need for it.
  const wantsTls = options.connection?.tls === null && /certFile/.test(said);
  const what = wantsTls ? "a server that demands TLS" : said;
  const cure = wantsTls
    ? 'leave out "tls: null"'
    : CURES.find(([pattern]) => pattern.test(said))?.[1];
  return new Error(
    `Cannot connect to ${where} as a NATS server must answer there and let this program in: received ${what}${
      cure === undefined ? "" : ` (${cure})`
    }`,
    { cause },
  );
}

/**
 * Says why streams cannot be made there.
 *
 * @param options Where, and how they would be kept.
 * @param cause What the server said.
 * @returns An error that names the cure, if one is known.
 */
export function streamError(options: ClusterOptions, cause: unknown): Error {
  const { name, code } = (cause ?? {}) as { name?: string; code?: number };
  const { servers, replicas = 1 } = options;
  const cure = name === "JetStreamNotEnabled"
    ? " (start it with: nats-server -js)"
    : code === 10074 || code === 10005
    ? ` ("replicas" is ${replicas}, which takes as many servers of one cluster, all of them up)`
    : name === "TimeoutError" || code === 10008
    ? " (of a cluster, more than half of the servers must be up)"
    : "";
  const where = showServers(servers);
  return cause instanceof RangeError
    ? new RangeError(`Cannot connect to ${where} as ${cause.message}`)
    : new Error(
      `Cannot connect to ${where} as its JetStream must be on, and open to this program: received ${
        nameThrown(cause)
      }${cure}`,
      { cause },
    );
}
