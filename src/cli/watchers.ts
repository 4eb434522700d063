/**
 * The bar and the timeline, loaded only for who asks for them.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import type { Progress, RunEvent } from "../../mod.ts";
import type { Settings } from "./settings.ts";

/** What watches a job. */
export interface Watchers {
  onEvent: ((event: RunEvent) => void) | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
  /** Writes what they saw. */
  close(): void;
}

/**
 * Opens what the settings ask for.
 *
 * @param settings Of the job.
 * @returns The watchers.
 */
export async function openWatchers(
  { bar, timeline: file }: Settings,
): Promise<Watchers> {
  const timeline = file === undefined
    ? undefined
    : new (await import("../timeline/mod.ts")).Timeline();
  return {
    onEvent: timeline && ((event) => timeline.record(event)),
    onProgress: bar
      ? (await import("../progress/mod.ts")).progressBar()
      : undefined,
    close() {
      if (timeline !== undefined) writeFileSync(file!, timeline.toHtml());
    },
  };
}
