/**
 * Keeps a program on Deno alive whose server refuses it.
 *
 * @module
 */

import type { Socket } from "node:net";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";

/** What of it is used here; it is no part of what the package promises. */
type Dial = (place: unknown) => Promise<Socket>;

/**
 * Has every socket hear of its errors for as long as it lives.
 *
 * `@nats-io/transport-node` 3.4.0 takes all listeners off a socket before it
 * destroys it. Deno 2.9.5 may tell of an error all the same (a connection that
 * was reset, after a wrong password), which nobody then hears, and which ends the
 * program. On Bun and Node.js, what is destroyed is silent.
 */
export function quietSockets(): void {
  const transport = NodeTransport?.prototype as unknown as { dial?: Dial };
  const { dial } = transport ?? {};
  if (!("Deno" in globalThis) || dial === undefined) return;
  transport.dial = async function (place) {
    const socket = await dial.call(this, place);
    const { removeAllListeners } = socket;
    const listen = () => socket.on("error", () => {});
    socket.removeAllListeners = function (...names) {
      removeAllListeners.apply(socket, names);
      return listen();
    };
    return listen();
  };
}
