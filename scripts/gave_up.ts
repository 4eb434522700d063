// Deno 2.9.5 itself gives up now and then where workers end, as docs/workers.md
// says ("What this cannot keep"). Such a run tells nothing of what ran.

/** Whether a program wrote that Deno gave up by denoland/deno#27075. */
export function gaveUp(err: string): boolean {
  return /Deno has panicked[^]*panicked at libs\/core\/modules\/map\.rs/
    .test(err);
}
