/** A class upon it, as node:buffer has one. */
class Bytes extends Uint8Array {}

/** Stands in for that of node:buffer where there is none. */
export const Buffer = {
  from: (text: string): Bytes => new Bytes(new TextEncoder().encode(text)),
};
