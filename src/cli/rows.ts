/**
 * Lines become rows: those of CSV (RFC 4180), or of tab-separated values.
 *
 * @module
 */

/** How fields are kept apart. */
export type RowForm = "csv" | "tsv";

/**
 * Puts rows together, each as an object by the names in the first. A field of
 * CSV may be in quotes, and then have commas, doubled quotes and line ends in
 * it. Of tab-separated values, quotes are part of the field. All values are
 * strings.
 */
export class Rows {
  readonly #form: RowForm;
  /** The names in the first row, as JSON. */
  #names: string[] | undefined;
  #fields: string[] = [];
  /** What was read of a field in quotes that goes on in the next line. */
  #open: string | undefined;

  /**
   * Begins before the first line.
   *
   * @param form How fields are kept apart.
   */
  constructor(form: RowForm) {
    this.#form = form;
  }

  /** Whether a row goes on in the next line. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /**
   * Takes the next line.
   *
   * @param line It, without its `\n`.
   * @returns The row that ends there, as JSON; undefined for the names, a blank
   * line, and where the row goes on.
   * @throws {SyntaxError} When it is no such row; its message goes on from
   * "as ".
   */
  take(line: string): string | undefined {
    // Tabs and blanks alone are fields.
    if (!this.isOpen && (line === "" || line === "\r")) return undefined;
    if (!this.#split(line)) return undefined;
    const fields = this.#fields;
    this.#fields = [];
    if (this.#names === undefined) {
      const names = new Set<string>();
      const twice = fields.find((name) => names.size === names.add(name).size);
      if (twice !== undefined) {
        throw new SyntaxError(
          `the names in the first row must differ: received ${
            JSON.stringify(twice)
          } twice`,
        );
      }
      this.#names = fields.map((name) => JSON.stringify(name));
      return undefined;
    }
    const { length } = this.#names;
    if (fields.length !== length) {
      throw new SyntaxError(
        `a row must have as many fields as the first, ${length}: received ${fields.length}`,
      );
    }
    const parts = this.#names.map((name, i) =>
      `${name}:${JSON.stringify(fields[i])}`
    );
    return `{${parts.join(",")}}`;
  }

  /** Adds the fields of a line; says whether the row ends there. */
  #split(line: string): boolean {
    const fields = this.#fields;
    const end = line.endsWith("\r") ? line.length - 1 : line.length;
    if (this.#form === "tsv") {
      this.#fields = line.slice(0, end).split("\t");
      return true;
    }
    for (let at = 0;;) {
      if (this.#open === undefined && line[at] === '"') {
        this.#open = "";
        at++;
      }
      if (this.#open !== undefined) {
        const quote = line.indexOf('"', at);
        if (quote < 0) {
          this.#open += `${line.slice(at)}\n`;
          return false;
        }
        this.#open += line.slice(at, quote);
        at = quote + 1;
        if (line[at] === '"') { // doubled: it stands for itself
          this.#open += '"';
          at++;
          continue;
        }
        fields.push(this.#open);
        this.#open = undefined;
        if (at < end && line[at] !== ",") {
          throw new SyntaxError(
            "a quoted field must end at a comma or the end of the line, and a quote in it must be doubled: received another character",
          );
        }
      } else {
        const comma = line.indexOf(",", at);
        const to = comma < 0 ? end : comma;
        const field = line.slice(at, to);
        if (field.includes('"')) {
          throw new SyntaxError(
            `a field with a quote in it must stand in quotes: received ${
              JSON.stringify(field.slice(0, 60))
            }`,
          );
        }
        if (field.includes("\r")) {
          throw new SyntaxError(
            'a line must end in "\\n" or "\\r\\n": received "\\r" alone',
          );
        }
        fields.push(field);
        at = to;
      }
      if (at >= end) return true;
      at++; // the comma
    }
  }
}
