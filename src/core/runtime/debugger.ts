/**
 * The debugger, which is for the program alone, and for none of its processes.
 *
 * @module
 */

type Environment = Record<string, string | undefined>;

/** A flag that asks for a debugger. */
const DEBUGS = /^--inspect([-_](brk|wait))?(=|$)/;

/**
 * Leaves out what is for the program alone, as the flags of its command line are: a
 * process would wait for a debugger, or Deno 2.9.5 and Bun 1.4.5 would end it
 * as the port is the program's.
 *
 * @param env The environment of the program.
 * @returns What is left of it.
 */
export function withoutDebugger(env: Environment): Environment {
  const rest = { ...env };
  for (const name of ["NODE_OPTIONS", "BUN_OPTIONS"]) { // Deno has the first
    rest[name] &&= rest[name].replace(
      /("(\\.|[^"\\])*"?|[^\s"])+/g, // what is in quotes may have spaces
      (flag) => DEBUGS.test(flag.replace(/["'\\]/g, "")) ? "" : flag,
    );
  }
  for (const name of Object.keys(rest)) {
    if (name.startsWith("BUN_INSPECT")) delete rest[name];
  }
  return rest;
}
