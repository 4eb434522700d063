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
  const timeline = file === undefined ? undefined : await openTimeline();
  return {
    onEvent: timeline && ((event) => timeline.record(event)),
    onProgress: bar ? await openBar() : undefined,
    close() {
      if (timeline !== undefined) writeFileSync(file!, timeline.toHtml());
    },
  };
}

interface TimelineLike {
  record(event: RunEvent): void;
  toHtml(): string;
}

// Until ./progress and ./timeline are merged: a path in a variable is not
// looked for by the type checker.
const PROGRESS: string = "../progress/mod.ts";
const TIMELINE: string = "../timeline/mod.ts";

async function openTimeline(): Promise<TimelineLike> {
  const { Timeline } = await import(TIMELINE);
  return new Timeline();
}

async function openBar(): Promise<(progress: Progress) => void> {
  const { progressBar } = await import(PROGRESS);
  return progressBar();
}
