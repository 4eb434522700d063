// deno-lint-ignore-file -- the package is not installed for the check
// @ts-nocheck the package is not installed for the check
import workerpool from "workerpool";
import { object, slowAdd, spin, sum, trivial } from "../tasks.ts";

workerpool.worker({ trivial, object, sum, spin, slowAdd });
