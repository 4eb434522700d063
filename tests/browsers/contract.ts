// A page: the contract in a browser. Where there is no Symbol.asyncDispose, the
// program of a user that has `await using` compiled needs one as well.
import "./dispose.ts";
import { type BackendName, contract } from "../contract.ts";
import { runTests, search } from "./report.ts";

for (const name of search.get("backends")!.split(",")) {
  contract(name as BackendName);
}
await runTests();
