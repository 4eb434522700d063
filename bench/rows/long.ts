/**
 * Values that are long: pages of text, and passages with a vector of numbers.
 *
 * @module
 */

import { pages, passages } from "../records.ts";
import type { Row } from "../row.ts";
import { brief, lengthOf } from "../tasks.ts";
import { thereAndBack } from "../there_and_back.ts";

/** Values in a message of those who batch by hand, and the aim. */
const ALIKE = { batch: 200, aim: "1.05 ×" };

/** Texts of which none is as long as another. */
export const longTexts: Row = {
  name: "pages",
  measure: () =>
    thereAndBack("4,000 pages of 0.1 to 10 kB of text", pages(4000), {
      short: lengthOf,
      ...ALIKE,
    }),
};

/** Records with a typed array each. */
export const vectors: Row = {
  name: "vectors",
  measure: () =>
    thereAndBack("4,000 passages with 384 floats each", passages(4000), {
      short: brief,
      ...ALIKE,
    }),
};
