/**
 * Folds the results of a chunk in the worker, so that one value crosses instead
 * of one a task.
 *
 * @module
 */

/** Consecutive tasks whose results were folded, or were to be. */
export interface Stretch {
  /** Offset of the first. */
  readonly offset: number;
  /** How many tasks. */
  readonly tasks: number;
}

/** What became of the results of a chunk. */
export interface Folded {
  /** One value a stretch; undefined where `combine` threw. */
  values: unknown[];
  stretches: Stretch[];
  /** What `combine` threw, by the number of the stretch. */
  thrown: Map<number, unknown>;
}

/**
 * Folds results, apart from those between them that there are not: their tasks
 * go again, or failed, and their places must not be passed over. Self-contained:
 * workers get this function by its source.
 *
 * @param combine Folds two results to one.
 * @param results One a task.
 * @param gaps Offsets of tasks that have none, in any order.
 * @param enter Called before a stretch is folded.
 * @returns One value for each stretch between the gaps.
 */
export function foldResults(
  combine: (one: unknown, other: unknown) => unknown,
  results: unknown[],
  gaps: number[],
  enter: (stretch: Stretch) => void,
): Folded {
  const folded: Folded = { values: [], stretches: [], thrown: new Map() };
  let from = 0;
  for (const to of [...gaps.sort((a, b) => a - b), results.length]) {
    if (to > from) fold({ offset: from, tasks: to - from });
    from = to + 1;
  }
  return folded;

  function fold(stretch: Stretch): void {
    const { offset, tasks } = stretch;
    enter(stretch);
    let total = results[offset];
    try {
      for (let at = offset + 1; at < offset + tasks; at++) {
        total = combine(total, results[at]);
        if (typeof total !== "object" || total === null) continue;
        if (typeof (total as { then?: unknown }).then !== "function") continue;
        Promise.resolve(total).catch(() => {}); // nobody else hears it reject
        throw new TypeError("a promise, which combine must not return");
      }
    } catch (error) {
      folded.thrown.set(folded.values.length, error);
      total = undefined;
    }
    folded.values.push(total);
    folded.stretches.push(stretch);
  }
}
