// deno-lint-ignore-file -- the package is not installed for the check
// @ts-nocheck the package is not installed for the check
import { ThreadWorker } from "poolifier-web-worker";
import { object, slowAdd, spin, sum, trivial } from "../tasks.ts";

export default new ThreadWorker({ trivial, object, sum, spin, slowAdd });
