// Waiting, where a test cannot be told.

/** Waits for some ms. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something is so; the limit is there to fail. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  limit = 120_000,
): Promise<void> {
  const began = performance.now();
  while (!await holds()) {
    if (performance.now() - began > limit) throw new Error(`not so: ${holds}`);
    await pause(5);
  }
}
