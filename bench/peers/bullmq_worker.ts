/**
 * A worker of BullMQ: takes jobs until its standard input ends.
 *
 * @module
 */

import process from "node:process";
import { startWorker } from "./bullmq.ts";

const [port, concurrency] = process.argv.slice(2).map(Number);
const worker = await startWorker(port, concurrency);
console.log("ready");
for await (const _ of process.stdin);
await worker.close();
process.exit(0);
