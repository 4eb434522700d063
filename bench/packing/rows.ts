/**
 * Objects of one shape as columns: a prototype, measured by `../packing.ts`.
 *
 * @module
 */

/** Objects of one shape, field by field. */
export interface Rows {
  /** The fields and their kinds: what `unpack` needs to build the objects. */
  shape: string;
  /** How many objects. */
  count: number;
  /** Every number, and the length of every string, column after column. */
  numbers: ArrayBuffer;
  /** A column of strings as one string; any other column as it is. */
  others: unknown[];
}

/** Packs and unpacks. */
export interface RowPacking {
  /**
   * Packs objects.
   *
   * @param values What to pack.
   * @returns Undefined when structured clone has to take the values.
   */
  pack(values: ArrayLike<unknown>): Rows | undefined;
  /** Undoes `pack`. */
  unpack(rows: Rows): unknown[];
}

/**
 * Makes the packing. Self-contained: workers get this function by its source.
 *
 * Exactly structured clone when it packs at all. It packs when every value has
 * `Object.prototype`, the same enumerable keys in the same order, and only
 * primitives in them, or one level down the same again; no two fields of a
 * value hold the same object. It leaves everything else to clone: arrays, class
 * instances, `__proto__` and integer keys (`arguments` has those), functions,
 * symbols, and whatever runs while `Object.prototype` has enumerable keys.
 * Getters are read, symbol keys and what is not enumerable is left out, as
 * clone does. Identity between two values of a chunk is not kept: whether two
 * values share a chunk is nobody's business. What cannot be told apart from a
 * plain object, a Proxy of one, is packed, where clone throws.
 *
 * @param joins Whether a column of strings travels as one string.
 * @returns The packing.
 */
export function createRows(joins: boolean): RowPacking {
  /** `n` number, `s` string, `o` any other primitive, or the fields inside. */
  type Fields = [key: string, kind: "n" | "s" | "o" | Fields][];
  /** -1 when packed, -2 when clone has to do it, else the leaf that differs. */
  type Read = (
    values: ArrayLike<unknown>,
    numbers: Float64Array,
    others: unknown[],
  ) => number;
  type Write = (
    numbers: Float64Array,
    others: unknown[],
    count: number,
  ) => unknown[];

  const MOST_LEAVES = 32;
  const MOST_SHAPES = 200; // compiled functions are kept
  const readers = new Map<string, Read>();
  const writers = new Map<string, Write>();
  const plain = Object.prototype;

  function fieldsOf(value: unknown, depth: number): Fields | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    if (Object.getPrototypeOf(value) !== plain) return undefined;
    const fields: Fields = [];
    for (const key of Object.keys(value)) {
      if (key === "__proto__" || String(Number(key) >>> 0) === key) {
        return undefined;
      }
      const field = (value as Record<string, unknown>)[key];
      if (typeof field === "object" && field !== null) {
        const inside = depth > 0 ? fieldsOf(field, depth - 1) : undefined;
        if (inside === undefined) return undefined;
        fields.push([key, inside]);
      } else {
        const string = joins && typeof field === "string" ? "s" : "o";
        fields.push([key, typeof field === "number" ? "n" : string]);
      }
    }
    return fields.length > 0 ? fields : undefined;
  }

  /** The kinds of the leaves, in order: `set` can change one. */
  function leaves(fields: Fields): { kind: string; set(kind: "o"): void }[] {
    return fields.flatMap((field) => {
      const [, kind] = field;
      return typeof kind === "string"
        ? [{ kind, set: (kind: "o") => void (field[1] = kind) }]
        : leaves(kind);
    });
  }

  function compileRead(fields: Fields): Read {
    let leaf = 0;
    let names = 0;
    let column = 0;
    let other = 0;
    const end: string[] = [];
    const check = (name: string, fields: Fields): string => {
      const keys = fields.map(([key]) => JSON.stringify(key));
      const inner: string[] = [];
      const body = fields.map(([, kind], i) => {
        const field = `v${names++}`;
        const get = `const ${field} = ${name}[${keys[i]}];`;
        if (typeof kind !== "string") {
          inner.push(field);
          return get + check(field, kind);
        }
        const at = leaf++;
        if (kind === "n") {
          return `${get} if (typeof ${field} !== "number") return ${at};
            numbers[${column++} * count + i] = ${field};`;
        }
        const to = other++;
        if (kind === "s") {
          end.push(`others[${to}] = others[${to}].join("");`);
          return `${get} if (typeof ${field} !== "string") return ${at};
            numbers[${column++} * count + i] = ${field}.length;
            others[${to}][i] = ${field};`;
        }
        return `${get} if (refused(${field})) return -2;
          others[${to}][i] = ${field};`;
      }).join("\n");
      const same = inner.flatMap((a, i) =>
        inner.slice(i + 1).map((b) => `if (${a} === ${b}) return -2;`)
      ).join("");
      return `if (typeof ${name} !== "object" || ${name} === null ||
          getPrototypeOf(${name}) !== plain) return -2;
        { let at = 0;
          for (const key in ${name}) {
            switch (at++) {
              ${
        keys.map((key, i) => `case ${i}: if (key !== ${key}) return -2; break;`)
          .join("\n")
      }
              default: return -2;
            }
          }
          if (at !== ${keys.length}) return -2; }
        ${body} ${same}`;
    };
    const body = check("value", fields);
    return new Function(
      "plain",
      "getPrototypeOf",
      `const refused = (v) => (typeof v === "object" && v !== null) ||
        typeof v === "function" || typeof v === "symbol";
      return (values, numbers, others) => {
        const count = values.length;
        for (let i = 0; i < ${other}; i++) others[i] = new Array(count);
        for (let i = 0; i < count; i++) { const value = values[i]; ${body} }
        ${end.join("")}
        return -1;
      };`,
    )(plain, Object.getPrototypeOf);
  }

  function compileWrite(fields: Fields): Write {
    let column = 0;
    let other = 0;
    const start: string[] = [];
    const literal = (fields: Fields): string =>
      `{${
        fields.map(([key, kind]) => {
          const name = `${JSON.stringify(key)}: `;
          if (typeof kind !== "string") return name + literal(kind);
          if (kind === "n") return `${name}numbers[${column++} * count + i]`;
          const to = other++;
          if (kind === "o") return `${name}o${to}[i]`;
          start.push(`let at${to} = 0;`);
          const length = `numbers[${column++} * count + i]`;
          return `${name}o${to}.substring(at${to}, at${to} += ${length})`;
        }).join(", ")
      }}`;
    const body = literal(fields);
    for (let i = 0; i < other; i++) start.push(`const o${i} = others[${i}];`);
    return new Function(
      "numbers",
      "others",
      "count",
      `const list = new Array(count);
      ${start.join("\n")}
      for (let i = 0; i < count; i++) list[i] = ${body};
      return list;`,
    ) as Write;
  }

  function cached<V>(of: Map<string, V>, shape: string, make: () => V): V {
    const found = of.get(shape);
    if (found !== undefined) return found;
    if (of.size >= MOST_SHAPES) of.clear();
    const made = make();
    of.set(shape, made);
    return made;
  }

  function pack(values: ArrayLike<unknown>): Rows | undefined {
    for (const _ in plain) return undefined;
    const fields = fieldsOf(values[0], 1);
    if (fields === undefined) return undefined;
    const kinds = leaves(fields);
    if (kinds.length > MOST_LEAVES) return undefined;
    const count = values.length;
    for (;;) {
      const shape = JSON.stringify(fields);
      const columns = leaves(fields).filter(({ kind }) => kind !== "o").length;
      const numbers = new Float64Array(columns * count);
      const others: unknown[] = [];
      const read = cached(readers, shape, () => compileRead(fields));
      const verdict = read(values, numbers, others);
      if (verdict === -1) {
        return { shape, count, numbers: numbers.buffer, others };
      }
      if (verdict === -2) return undefined;
      kinds[verdict].set("o");
    }
  }

  function unpack({ shape, count, numbers, others }: Rows): unknown[] {
    const write = cached(writers, shape, () => compileWrite(JSON.parse(shape)));
    return write(new Float64Array(numbers), others, count);
  }

  return { pack, unpack };
}
