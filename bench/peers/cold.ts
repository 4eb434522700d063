// Maps eight numbers with one peer, as a process of its own. Argument: the peer.
import process from "node:process";
import { PEERS } from "./adapters.ts";

const pool = await PEERS[process.argv[2]](2);
const results = await pool.map("trivial", [1, 2, 3, 4, 5, 6, 7, 8], false);
await pool.close();
console.log(results.join(" "));
