/**
 * What watches a job: the bar, and the timeline.
 *
 * @module
 */

import type { RunEvent } from "../../mod.ts";
import type { BarProgress } from "../progress/mod.ts";
import { isOneTaskEach } from "./command.ts";
import { openLate } from "./late_file.ts";
import { BAR_OUTPUT } from "./messages.ts";
import { Output } from "./output.ts";
import type { Plan } from "./target.ts";

/** What watches a job. */
export interface Watchers {
  onEvent: ((event: RunEvent) => void) | undefined;
  onProgress: ((progress: BarProgress) => void) | undefined;
  /** Told the index of each input that is sent, where the engine counts others. */
  onSent: ((index: number) => void) | undefined;
  /** Writes what they saw; rejects when it cannot be written. */
  close(): Promise<void>;
  /** Ends them where the job could not begin: nothing is written. */
  drop(): void;
}

/**
 * Opens what watches a job; the bar and the timeline are loaded only if they were
 * asked for.
 *
 * @param plan The job.
 * @returns What is told all that happens, and closed at the end.
 */
export async function openWatchers(plan: Plan): Promise<Watchers> {
  const { bar, timeline: file } = plan;
  // Opened now: a picture that cannot be written is told before any work.
  const page = file === undefined ? undefined : openLate("--timeline", file);
  const sent: number[] = []; // index of the input of each call, where it has one
  const inputOf = isOneTaskEach(plan)
    ? undefined
    : (call: number) => sent[call] ?? call;
  const timeline = file === undefined
    ? undefined
    : new (await import("../timeline/mod.ts")).Timeline({ inputOf });
  let open: number | undefined; // the run, until it ends
  const tell = bar
    ? (await import("../progress/mod.ts")).progressBar({ output: BAR_OUTPUT })
    : undefined;
  let last: BarProgress | undefined;
  return {
    onEvent: timeline && ((event) => {
      if (event.type === "run-start") open = event.run;
      if (event.type === "run-end") open = undefined;
      timeline.record(event);
    }),
    onSent: timeline && ((index) => void sent.push(index)),
    onProgress: tell && ((progress) => tell(last = progress)),
    async close() {
      // A job that was stopped does not wait for the end of its run.
      if (last?.state === "running") tell?.({ ...last, state: "stopped" });
      if (timeline === undefined || page === undefined) return;
      if (open !== undefined) { // its workers are not waited for
        const [run, at] = [open, performance.now()];
        timeline.record({ type: "run-end", run, ok: false, at });
      }
      try {
        page.clear();
        const { promise, reject } = Promise.withResolvers<never>();
        const output = new Output(page.descriptor, reject, { end: "" });
        output.write(timeline.toHtml());
        const drained = output.drainedUnlessSignalled();
        const isWritten = await Promise.race([promise, drained]);
        page.close();
        if (!isWritten) throw new Error("nobody reads it");
      } catch (cause) {
        throw new Error(
          `Cannot write --timeline as its file must take it: received "${file}" (${
            (cause as Error).message
          })`,
          { cause },
        );
      }
    },
    drop: () => page?.close(),
  };
}
