// Maps eight numbers with one peer, as a process of its own. Argument: the peer.
import { PEERS } from "./adapters.ts";

// Without node:process, which Deno makes when it is first asked for.
const { Deno, process } = globalThis as unknown as {
  Deno?: { args: string[] };
  process: { argv: string[] };
};
const [peer] = Deno?.args ?? process.argv.slice(2);
const pool = await PEERS[peer](2);
const results = await pool.map("trivial", [1, 2, 3, 4, 5, 6, 7, 8], false);
await pool.close();
console.log(JSON.stringify(results.slice(-8)));
