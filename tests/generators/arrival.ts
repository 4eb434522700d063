// What must become of the value of a recipe on the other side. Where there is
// no error in it, structuredClone says so. For errors the library promises more,
// and this file is that promise.

import type { Entry, ErrorRecipe, Recipe } from "../fixtures/recipes.ts";
import {
  isBuffer,
  lengthOf,
  make,
  makeDeep,
  makeView,
  newError,
} from "../fixtures/recipes.ts";

/** Stands for any text: what describes something that cannot be cloned. */
export const ANY_TEXT: unique symbol = Symbol("any text");
/** Stands for anything at all. */
export const ANYTHING: unique symbol = Symbol("anything");

/** What must become of a value. */
export type Arrival =
  /** Arrives, and is this. */
  | { must: "arrive"; value: unknown }
  /** Its task fails, by its index, and says why. */
  | { must: "be refused" }
  /** One or the other; it may be `value` if it arrives. */
  | { must: "settle"; value: unknown };

/** What must become of a value that is an input or a result. */
export function arrivalOf(whole: Recipe, transfer: boolean): Arrival {
  const recipe = kept(whole);
  const has = (test: (recipe: Recipe) => boolean) => some(recipe, test);
  // A ref may mean what is also inside an error, where it would be a text, or
  // a key that is already in a Map.
  const twice = has(({ is }) => is === "ref") && has(isUncloneable);
  if (twice || has(isUnsure) || (transfer && has(isUnmovable))) {
    return { must: "settle", value: ANYTHING };
  }
  if (has(isError)) return arrive(recipe, false);
  if (some(recipe, ({ is }) => is === "odd", false)) {
    return { must: "be refused" };
  }
  try {
    return { must: "arrive", value: structuredClone(make(recipe)) };
  } catch {
    return { must: "be refused" };
  }
}

/**
 * A recipe without what its Maps do not keep: of two values of a key the first.
 * With refs, it stays as it is: those count what is made.
 */
function kept(recipe: Recipe): Recipe {
  if (some(recipe, ({ is }) => is === "ref")) return recipe;
  return JSON.parse(JSON.stringify(recipe, (_, part) => {
    if (part?.is !== "map") return part;
    const { pairs } = part as Extract<Recipe, { is: "map" }>;
    const keys = pairs.map(([key]) => make(key)); // each object is another
    const none = { is: "string", text: "" };
    const isKept = (at: number) => !keys.includes(keys[at], at + 1);
    const left = pairs.map((
      [key, value],
      at,
    ) => [key, isKept(at) ? value : none]);
    return { ...part, pairs: left };
  }));
}

/** What must become of a value that is thrown: it always arrives. */
export function arrivalOfThrown(recipe: Recipe): Arrival {
  return some(recipe, isUnsure)
    ? { must: "settle", value: ANYTHING }
    : arrive(recipe, true);
}

/** Whether a recipe, or one in it, is of that kind. */
export function some(
  recipe: Recipe,
  test: (recipe: Recipe) => boolean,
  hidden = true,
): boolean {
  let found = false;
  JSON.stringify(recipe, (_, part) => {
    if (!hidden && part?.as === "not enumerable") return undefined;
    if (typeof part?.is === "string") found ||= test(part);
    return part;
  });
  return found;
}

function entriesOf(recipe: Recipe): Entry[] {
  const texts = recipe.is === "error" ? recipe.texts : [];
  return "entries" in recipe ? [...texts, ...recipe.entries] : texts;
}

/** What may be read twice, and is another thing then; how deep is too deep. */
function isUnsure(recipe: Recipe): boolean {
  // Deno 2.9.5 clones a key only where one was made before it came, and turns
  // others into `{}`, which is refused.
  return (recipe.is === "platform" && recipe.what === "CryptoKey") ||
    (recipe.is === "deep" && recipe.depth > 1000) ||
    entriesOf(recipe).some(({ as }) => as === "changing getter");
}

function isError(recipe: Recipe): boolean {
  return recipe.is === "error" ||
    (recipe.is === "deep" && recipe.of === "cause");
}

/** Whether a result with that recipe is awaited, or throws when it is tried. */
export function isThenable(recipe: Recipe): boolean {
  return recipe.is === "odd" || hasThen(recipe);
}

/** Whether a value with that recipe may have a method `then`. */
export function hasThen(recipe: Recipe): boolean {
  const then = entriesOf(recipe).find(({ key }) => key === "then");
  return then?.value.is === "odd" ||
    (then?.as ?? "not enumerable") !== "not enumerable";
}

/** Buffers that can be copied, but not moved. */
function isUnmovable(recipe: Recipe): boolean {
  return recipe.is === "buffer" && recipe.as === "wasm";
}

function isUncloneable(recipe: Recipe): boolean {
  return recipe.is === "odd" ||
    (recipe.is === "buffer" && recipe.as === "detached") ||
    entriesOf(recipe).some(({ as }) => as === "throwing getter");
}

class Refused extends Error {}

/**
 * Makes what must arrive of a value that holds errors, or is thrown. A `name`,
 * `message` or `stack` that is no text may arrive as one, or as it is.
 */
function arrive(root: Recipe, thrown: boolean): Arrival {
  const made: unknown[] = [];
  let inside = 0; // errors around the place
  let unsure = false; // whether it may be refused as well
  let vague = false; // whether nobody knows what must arrive

  function begin<T>(object: T): T {
    made.push(object);
    return object;
  }

  /** What cannot be cloned: a text inside an error, and else a reason to refuse. */
  function described(): unknown {
    if (thrown || inside > 0) return ANY_TEXT;
    throw new Refused();
  }

  function visit(recipe: Recipe): unknown {
    switch (recipe.is) {
      case "object":
        return addEntries(begin({}), recipe.entries);
      case "array": {
        const array: unknown[] = begin([]);
        for (const [index, item] of recipe.items.entries()) {
          if (item.is !== "hole") array[index] = visit(item);
        }
        array.length = lengthOf(recipe);
        return addEntries(array, recipe.entries);
      }
      case "map": {
        const map = begin(new Map());
        for (const [key, value] of recipe.pairs) {
          map.set(seen(map, visit(key)), visit(value));
        }
        return map;
      }
      case "set": {
        const set = begin(new Set());
        for (const item of recipe.items) set.add(seen(set, visit(item)));
        return set;
      }
      case "error":
        inside++;
        try {
          return visitError(recipe);
        } finally {
          inside--;
        }
      case "buffer":
        return recipe.as === "detached"
          ? begin(described())
          : begin(structuredClone(make(recipe)));
      case "view": {
        const buffer = visit(recipe.buffer);
        if (buffer === ANY_TEXT) return begin(described());
        if (!isBuffer(buffer)) return undefined;
        const kind = { Buffer: "Uint8Array", Bytes: "Uint8Array" }[recipe.kind];
        return begin(
          makeView({ ...recipe, kind: kind ?? recipe.kind }, buffer),
        );
      }
      case "date":
      case "regexp":
        return begin(structuredClone(make(recipe)));
      case "deep":
        return recipe.of === "cause"
          ? deepCause(recipe.depth)
          : makeDeep(recipe.of, recipe.depth);
      case "odd":
        return visitOdd(recipe.what);
      case "ref":
        return made[recipe.to];
      default:
        return make(recipe);
    }
  }

  /** Two of any texts may be one text, or two. */
  function seen(map: { has(key: unknown): boolean }, key: unknown): unknown {
    vague ||= typeof key === "symbol" && map.has(key);
    return key;
  }

  function visitOdd(what: string): unknown {
    // A Proxy looks like its target, and is copied as that where errors are
    // written beside the value: nothing in the language tells them apart.
    const look = { proxy: {}, "proxy of an array": [1] }[what];
    if (look !== undefined) unsure = true;
    if (look !== undefined && !thrown && inside === 0) return look;
    const text = described();
    // On Bun an Event has keys of its own, which are kept.
    return look !== undefined || what === "Event" ? ANYTHING : text;
  }

  function addEntries<T extends object>(object: T, entries: Entry[]): T {
    for (const { key, value, as } of entries) {
      // Visited in any case: what is in it may be meant by a ref.
      const shows = as !== "not enumerable";
      if (!shows) inside++; // nothing in it matters
      const held = visit(value);
      if (!shows) inside--;
      const shown = as === "throwing getter" ? described() : held;
      if (shows && !hides(key, value, as)) define(object, key, shown, true);
    }
    return object;
  }

  /** Whether a text in its place would hide a method that all objects have. */
  function hides(key: string, value: Recipe, as: Entry["as"]): boolean {
    return (thrown || inside > 0) && key in Object.prototype &&
      value.is === "odd" && as !== "throwing getter" &&
      typeof make(value) === "function";
  }

  function visitError(recipe: ErrorRecipe): unknown {
    const error = begin(
      newError({ ...recipe, subclass: false, elsewhere: false }),
    );
    define(error, "stack", ANY_TEXT, false);
    for (const key of ["cause", "errors"] as const) {
      const part = recipe[key];
      if (part !== undefined) define(error, key, visit(part), false);
    }
    for (const { key, value, as } of recipe.texts) {
      visit(value);
      // A stack that says nothing is replaced.
      const text = value.is === "string" && as !== "throwing getter" &&
        (key !== "stack" || value.text.trim() !== "");
      define(error, key, text ? make(value) : ANYTHING, false);
    }
    return addEntries(error, recipe.entries);
  }

  try {
    const visited = visit(root);
    const value = vague ? ANYTHING : visited;
    return { must: unsure && !thrown ? "settle" : "arrive", value };
  } catch (error) {
    if (error instanceof Refused) return { must: "be refused" };
    throw error;
  }
}

function deepCause(depth: number): unknown {
  const first = makeDeep("cause", depth);
  for (
    let error = first;
    error instanceof Error;
    error = error.cause
  ) define(error, "stack", ANY_TEXT, false);
  return first;
}

function define(
  object: object,
  key: string,
  value: unknown,
  enumerable: boolean,
): void {
  Object.defineProperty(object, key, {
    value,
    writable: true,
    configurable: true,
    enumerable,
  });
}
