/** Tests that a runtime does not run, with the reason; see also contract.ts. */
export const SKIPS: Record<string, Record<string, string>> = {
  node: {
    "functions typed into the REPL run in workers":
      "its REPL knows no types, and from a pipe it does not wait for an await",
    "pmap says why a module does not load":
      "Node.js 24 does not tell in which file a syntax error of JavaScript is",
  },
};
