/**
 * A function, or a module and a name, as something a worker can load.
 *
 * @module
 */

import { keptNames } from "../../words/kept_names.ts";
import { show } from "../../words/show.ts";
import type { ModuleSpecifier } from "../api/options.ts";
import type { Crossing } from "./frames.ts";

/** How a worker gets a function. */
export type FunctionRef =
  /** By its source, a script: it sees nothing around it. */
  | { from: "source"; name: string; source: string }
  /** As an export of a module. */
  | {
    from: "module";
    name: string;
    url: string;
    /** What it was given as, if not by its name: `fn`, `init` or `combine`. */
    given: string | undefined;
    /** Whether the module is the program's entry. */
    entry: boolean;
  }
  /** As it is, in the caller's own thread. */
  | { from: "here"; name: string; fn: Anything };

type Anything = (...args: unknown[]) => unknown;

/** Where a function is to run, and what it is for. */
export interface Place {
  /** URL of the program's entry module, where it is known. */
  entry: string | undefined;
  /** Whether it runs in the caller's own thread. */
  inline: boolean;
  /** How values get there, if not as structured clone takes them. */
  crossing?: Crossing | undefined;
  /** Why a module cannot be imported there from a URL, if that can be told. */
  whyNotLoaded?: ((url: string) => string | undefined) | undefined;
  /** What errors call it, unless that is `fn`. */
  role?: string;
}

/**
 * Makes a reference to a function.
 *
 * @param fn A self-contained function, an exported one, or the name of an export.
 * @param module The module that exports it; undefined ships the source.
 * @param place Where it is to run.
 * @returns The reference, as plain data.
 * @throws {TypeError} When there is no way to load the function in a worker.
 */
export function functionRef(
  fn: unknown,
  module: ModuleSpecifier | undefined,
  place: Place,
): FunctionRef {
  const { role = "fn" } = place;
  if (module !== undefined) {
    const url = moduleUrl(module);
    const name = exportName(fn, role);
    // In this thread never by its URL: a module that imports itself while it
    // is being loaded waits for ever (Deno 2.9.5 and Bun 1.4.5).
    if (place.inline && typeof fn === "function") {
      return { from: "here", name, fn: fn as Anything };
    }
    const why = place.whyNotLoaded?.(url);
    if (why !== undefined) {
      throw new TypeError(
        `Cannot map as "module" ${why}: received ${show(url)}`,
      );
    }
    const given = typeof fn === "string" ? undefined : role;
    return { from: "module", name, url, given, entry: url === place.entry };
  }
  if (typeof fn === "string") {
    throw new TypeError(
      `Cannot map as a function given by name needs "module": received ${
        show(fn)
      }`,
    );
  }
  const callable = checkFunction(fn, role);
  const name = nameOf(callable);
  if (makesCode()) {
    return { from: "source", name, source: sourceOf(callable, role) };
  }
  if (place.inline) return { from: "here", name, fn: callable };
  throw new TypeError(
    `Cannot map as ${role} must be exported by a "module" where no code may be made of texts, as in a page whose Content-Security-Policy lacks 'unsafe-eval': received ${
      show(fn)
    }`,
  );
}

/**
 * Makes a reference to a function that folds results. One without a name is
 * shipped by its source, also beside a module.
 *
 * @param combine The function.
 * @param module The module that exports it.
 * @param place Where it is to run, beside the caller's thread.
 * @returns The reference.
 * @throws {TypeError} When there is no way to load the function in a worker.
 */
export function combineRef(
  combine: unknown,
  module: ModuleSpecifier | undefined,
  place: Place,
): FunctionRef {
  if (typeof combine !== "function") {
    throw new TypeError(
      `Cannot reduce as combine must be a function: received ${show(combine)}`,
    );
  }
  return functionRef(combine, nameOf(combine) === "" ? undefined : module, {
    ...place,
    role: "combine",
  });
}

/**
 * The function that workers have, for this thread: as there, one that is shipped
 * sees nothing of what is around it.
 *
 * @param fn The function.
 * @param ref Its reference.
 * @returns What to call.
 */
export function asInWorkers(fn: unknown, ref: FunctionRef): Anything {
  if (ref.from !== "source") return fn as Anything;
  let own = made.get(ref.source);
  if (own === undefined) {
    own = (0, eval)(ref.source) as Anything;
    if (made.size === MOST_SCRIPTS) made.clear();
    made.set(ref.source, own);
  }
  return own;
}

let codeIsMade: boolean | undefined;

/**
 * Says whether code may be made of texts here, and so in workers of this process:
 * many pages forbid it, and some hosts, as by
 * `--disallow-code-generation-from-strings`.
 *
 * @returns Whether it may.
 */
export function makesCode(): boolean {
  return codeIsMade ??= parses("0");
}

/** A function that gives one result when it is called. */
function checkFunction(fn: unknown, role: string): Anything {
  if (typeof fn !== "function") {
    throw new TypeError(
      `Cannot map as ${role} must be a function or the name of an export: received ${
        show(fn)
      }`,
    );
  }
  // A method may be called so; none has a prototype.
  if (/^class\b/.test(textOf(fn)) && Object.hasOwn(fn, "prototype")) {
    throw new TypeError(
      `Cannot map as ${role} must be callable without new: received ${
        `class ${nameOf(fn)}`.trim()
      }`,
    );
  }
  const kind = kindOf(fn);
  if (kind.endsWith("GeneratorFunction")) {
    throw new TypeError(
      `Cannot map as ${role} must return its result, and a generator does not: received ${
        `${kind} ${nameOf(fn)}`.trim()
      }`,
    );
  }
  return fn as Anything;
}

/** As the language has it: a class may have a static method of that name. */
function textOf(fn: object): string {
  return Function.prototype.toString.call(fn);
}

/** `Function`, `AsyncFunction` or one of the two kinds of generators. */
function kindOf(fn: object): string {
  try {
    return Object.prototype.toString.call(fn).slice(8, -1);
  } catch {
    return "Function"; // a Proxy that throws
  }
}

/** Its name, if that is one: any value may stand there. */
function nameOf(fn: object): string {
  try {
    const { name } = fn as { name?: unknown };
    return typeof name === "string" ? name : "";
  } catch {
    return ""; // a getter, or a Proxy, that throws
  }
}

function exportName(fn: unknown, role: string): string {
  const name = typeof fn === "string" ? fn : nameOf(checkFunction(fn, role));
  if (name === "" || name.startsWith("bound ")) {
    const orName = role === "fn" ? ", or be that name as a string" : "";
    throw new TypeError(
      `Cannot map as ${role} with "module" must have the name of its export${orName}: received ${
        show(fn)
      }`,
    );
  }
  return name;
}

/**
 * Finds out where a module is.
 *
 * @param module As the caller gave it.
 * @param action What it is for, in the error.
 * @returns Its URL.
 * @throws {TypeError} When it is not an absolute one.
 */
export function moduleUrl(module: ModuleSpecifier, action = "map"): string {
  const url = module !== null && typeof module === "object" && "url" in module
    ? module.url
    : module;
  const text = typeof url === "string" ? url : url?.href; // of any realm
  // A worker has no place of its own that a relative path could start from.
  if (typeof text !== "string" || !URL.canParse(text)) {
    throw new TypeError(
      `Cannot ${action} as "module" must be an absolute URL such as import.meta.url: received ${
        show(text ?? url)
      }`,
    );
  }
  return text;
}

/** Scripts by the text and the kind of their function. */
const scripts = new Map<string, string>();

/** What they gave in this thread. */
const made = new Map<string, Anything>();

/** Functions to remember: to parse one takes longer than a small task. */
const MOST_SCRIPTS = 100;

/** A script whose value is the function. */
function sourceOf(fn: Anything, role: string): string {
  const text = textOf(fn);
  const key = `${kindOf(fn)} ${text}`;
  let script = scripts.get(key);
  if (script === undefined) {
    script = scriptOf(fn, text, role);
    if (scripts.size === MOST_SCRIPTS) scripts.clear();
    scripts.set(key, script);
  }
  return script;
}

function scriptOf(fn: Anything, text: string, role: string): string {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text)) {
    const takes = role === "combine" ? "one, other" : "value";
    throw new TypeError(
      `Cannot map as a native or bound function has no source to ship, nor has a Proxy, wrap it as (${takes}) => f(${takes}), and if f is no global, export what calls it and set "module": received ${
        show(fn)
      }`,
    );
  }
  if (/^[gs]et\b/.test(text) && !parses(text) && !parses(`{ async ${text} }`)) {
    throw new TypeError(
      `Cannot map as ${role} must be a function, and not a getter or setter: received ${
        show(fn)
      }`,
    );
  }
  // Strict, as a module is. What does not parse so was sloppy where it stands.
  for (const mode of [STRICT, ""]) {
    const expression = parses(text, mode) ? text : methodOf(fn, text, mode);
    if (expression === undefined) continue;
    const before = `${mode}${keptNames(text)}`;
    // An arrow function has the `this` of what is around it: nothing, as in a
    // module, and not all globals. But `arguments` must stay what is not there.
    const takesThis = expression === text && mode === STRICT &&
      !Object.hasOwn(fn, "prototype") &&
      /\bthis\b/.test(text) && !/\barguments\b/.test(text);
    return takesThis
      ? `${before}(function () { return (${expression}\n); }).call()`
      : `${before}(${expression}\n)`;
  }
  throw new TypeError(
    `Cannot map as the source of ${role} must stand on its own, without super, new.target, import.meta and private names of what is around it, or be exported by a "module": received ${
      show(fn)
    }`,
  );
}

const STRICT = '"use strict";';

/**
 * A method as an expression. Its text is `name(x) {…}`, and the name may be
 * anything: `async *[(a)]`. So a parenthesis begins the parameters only if what
 * is before it reads as a name, and what follows as the rest of a function.
 */
function methodOf(
  fn: Anything,
  text: string,
  mode: string,
): string | undefined {
  const word = kindOf(fn) === "AsyncFunction" ? "async function" : "function";
  for (let at = -1; (at = text.indexOf("(", at + 1)) >= 0;) {
    if (!parses(`{ ${text.slice(0, at)}() {} }`, mode)) continue;
    const expression = `${word} ${text.slice(at)}`;
    if (parses(expression, mode)) return expression;
  }
  return undefined;
}

/**
 * Whether a script may have this expression. It is not run, nor is what follows
 * in a text that is none: one that was cut in a comment or a string may close
 * the parenthesis around it. Such a text does not close a bracket as well. That
 * is tried first, as the body of a function that is never called: it declares
 * nothing, and no engine lets it end that body.
 */
function parses(expression: string, mode = STRICT): boolean {
  try {
    new Function(`${mode}return [${expression}\n]`);
    (0, eval)(`${mode}() => (${expression}\n)`); // not with new.target in it
    return true;
  } catch {
    return false; // any failure to parse means the same: this is no expression
  }
}
