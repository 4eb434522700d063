/**
 * What to do about errors of tasks whose own words do not tell.
 *
 * @module
 */

import type { FunctionRef } from "../wire/function_ref.ts";
import type { RunSetup } from "./run_setup.ts";

/** Whether Deno denied something, for which it names a flag of the program. */
function isDenied(cause: unknown): boolean {
  return cause instanceof Error &&
    (cause.name === "NotCapable" ||
      /run again with the --allow-/.test(cause.message)); // of an import
}

/** Whether an `import()` did not find what it was to load. */
function foundNoModule(cause: unknown): boolean {
  if (!(cause instanceof Error) || /built-in/.test(cause.message)) return false;
  const { name, code } = cause as { name: unknown; code?: unknown };
  return code === "ERR_MODULE_NOT_FOUND" || // Deno
    code === "ERR_UNSUPPORTED_RESOLVE_REQUEST" || // Node.js
    name === "ResolveMessage"; // Bun
}

/**
 * Says what to do about what a function does not see, find or may do.
 *
 * @param cause What it threw.
 * @param fn How the workers got it; of no function, what kept them from starting.
 * @param run What is known of its run.
 * @param option What brings values along for it, if anything does.
 * @returns The advice, with what is before it in the message; empty for none.
 */
export function adviceOn(
  cause: unknown,
  fn: { from?: FunctionRef["from"] | undefined; name?: string },
  { data, restricts }: Partial<Pick<RunSetup, "data" | "restricts">>,
  option?: "data" | "workerData",
): string {
  if (isDenied(cause)) {
    return restricts?.()
      ? ' (with "processes", workers may do what "permissions" say, for shipped functions by default nothing)'
      : "";
  }
  const isShipped = fn.from === "source";
  if (isShipped && foundNoModule(cause)) {
    const how = option === undefined
      ? ""
      : ` bring import.meta.resolve(…) along as "${option}", and import that, or`;
    return ` (a shipped function belongs to no file, and finds packages and files by their whole URLs alone:${how} export it and set "module")`;
  }
  // With "here" it is this thread's own; of no function, the loader has a word.
  const isSent = isShipped || fn.from === "module";
  if (!isSent || !(cause instanceof ReferenceError)) return "";
  const [, name] = // V8's words, and those of JavaScriptCore and Firefox
    /^([\p{ID_Continue}$]+) is not defined|variable:? ([\p{ID_Continue}$]+)$/u
      .exec(cause.message)?.filter((text) => text !== undefined) ?? [];
  if (name === undefined) return ""; // one of its own, or before its declaration
  const isGlobal = name in globalThis;
  if (!isShipped) return isGlobal ? ` (workers have no global "${name}")` : "";
  const sees = "a shipped function sees nothing around it";
  const orExport = 'or export it and set "module"';
  if (name.startsWith("__vi")) {
    return ` (${sees}, nor the "${name}" that Vite or Vitest put in it for an import(): export it and set "module")`;
  }
  // Or a variable around it has that name, as many have in a page.
  const ofGlobal = isGlobal
    ? `, nor the program's global "${name}": ${
      option === undefined ? "define in it" : `bring along as "${option}"`
    } what it needs of that, or of a variable of that name`
    : undefined;
  // To bring these along would take what they need along, and so on; and what calls
  // itself would see itself no better.
  const text = ["require", "__dirname", "__filename"].includes(name)
    ? `: import in it by await import("…")`
    : name === fn.name
    ? `, nor itself by the name of a variable: to call itself, write it as function ${name}(…) {…}; what else has that name, import or define in it`
    : name.startsWith("cov_")
    ? `, nor the "${name}" that a coverage tool put in it: leave its file out of coverage`
    : name.startsWith("__")
    ? `, nor the "${name}" that a compiler put in it for an older target: compile for ES2022 or newer`
    : ofGlobal ??
      (option === undefined
        ? ": define what it needs in it"
        : `: what is imported, import in it, by await import("…"); ${
          option === "data"
            ? `a value or a small function, bring along as data: { ${name} }, which is context.data there${
              data?.functions.length
                ? ", and give it to functions in data as an argument"
                : ""
            }`
            : `a function, define in it; a value, bring along as workerData: { ${name} }, which init is given`
        }`);
  return ` (${sees}${text}${text === ofGlobal ? "" : `, ${orExport}`})`;
}
