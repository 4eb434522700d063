/**
 * A progress bar for `onProgress`: tasks done, rate, time left and failures, on
 * stderr. Uses nothing of the library but what `@parallel/map` exports.
 *
 * @example Usage
 * ```ts
 * import { parallelMap } from "@parallel/map";
 * import { progressBar } from "@parallel/map/progress";
 * import { assertEquals } from "@std/assert";
 *
 * const squares = await parallelMap((n: number) => n * n, [1, 2, 3], {
 *   onProgress: progressBar(),
 * });
 * assertEquals(squares, [1, 4, 9]);
 * ```
 *
 * @module
 */

export { progressBar, type ProgressBarOptions } from "./progress_bar.ts";
export type { BarProgress } from "./line.ts";
export type { TextOutput } from "./terminal.ts";
