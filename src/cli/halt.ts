/**
 * When failures end a job: pure.
 *
 * @module
 */

import { UsageError } from "./values.ts";

/** At how many failures a job ends; `soon` lets the calls that run end first. */
export type HaltRule =
  | { when: "never" }
  | { when: "now" | "soon"; failures: { limit: number; percent: boolean } };

const FORM = /^(now|soon)(?:,fail=(\d+(?:\.\d+)?)(%?))?$/;

/**
 * Reads the value of `--halt`.
 *
 * @param text `never`, `now` or `soon`, the latter two with `,fail=N` or
 * `,fail=N%`.
 * @returns The rule; the first failure counts unless it says otherwise.
 * @throws {UsageError} When it is none of these.
 */
export function readHalt(text: string): HaltRule {
  if (text === "never") return { when: "never" };
  const [, when, count = "1", sign = ""] = FORM.exec(text) ?? [];
  const limit = Number(count);
  const percent = sign === "%";
  const fits = percent
    ? limit > 0 && limit <= 100
    : Number.isInteger(limit) && limit >= 1;
  if (!fits || (when !== "now" && when !== "soon")) {
    throw new UsageError(
      `Cannot run as --halt must be never, now or soon, the latter two also with ,fail=N or ,fail=N%: received "${text}"`,
    );
  }
  return { when, failures: { limit, percent } };
}

/**
 * Decides whether a job must end.
 *
 * @param rule The rule.
 * @param failed How many inputs failed.
 * @param finished How many inputs failed or succeeded.
 * @returns Whether the rule's limit is reached.
 */
export function mustHalt(
  rule: HaltRule,
  failed: number,
  finished: number,
): boolean {
  if (rule.when === "never" || failed === 0) return false;
  const { limit, percent } = rule.failures;
  if (!percent) return failed >= limit;
  // With fewer inputs than 100 / N, one failure would be more than N%. Quotients,
  // as those are rounded like the limit: 1.1 times 3000 is more than 3300.
  return 100 / finished <= limit && 100 * failed / finished >= limit;
}
