// What is written on stderr, where a test can look at it.

/** What `console.error` is told while something is done. */
export async function warningsOf(work: () => unknown): Promise<string[]> {
  const said: string[] = [];
  const { error } = console;
  console.error = (text: string) => said.push(text);
  try {
    await work();
  } finally {
    console.error = error;
  }
  return said;
}
