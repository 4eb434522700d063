// The pages that browsers are shown, and what runs in them: the contract, and a
// smoke for what a page may be or lack.

/** Where a page is, and what it may do. */
export type Kind =
  | "isolated"
  | "plain"
  | "insecure"
  | "file"
  | "no-eval"
  | "no-blob"
  | "trusted-types"
  | "sandboxed";

/** A page. */
export interface PageSetup {
  kind: Kind;
  /** A file of tests/browsers/, or what a bundler made of it. */
  script: string;
  /** What is to be tested in it, as its script takes it. */
  search: string;
}

/** What a server says of a page of that kind. */
export const HEADERS: Record<Kind, Record<string, string>> = {
  isolated: {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  },
  plain: {},
  insecure: {},
  file: {},
  // 'self', as Firefox 153 takes what an imported module imports for workers.
  "no-eval": {
    "content-security-policy": "default-src 'self'; worker-src 'self' blob:",
  },
  "no-blob": { "content-security-policy": "default-src 'self'" },
  "trusted-types": {
    "content-security-policy":
      "require-trusted-types-for 'script'; trusted-types parallel-map default",
  },
  // As an iframe of somebody else's page: its origin is nobody's.
  sandboxed: { "content-security-policy": "sandbox allow-scripts" },
};

/** A host that is this machine, and that no browser takes for a secure one. */
export const INSECURE_HOST = "insecure.test";

const smoke = (kind: Kind, script = "smoke.ts"): PageSetup => ({
  kind,
  script,
  search: "",
});

const contract = (kind: Kind, backends: string): PageSetup => ({
  kind,
  script: "contract.ts",
  search: `backends=${backends}`,
});

/** What is short, in every browser. */
export const SMOKES: PageSetup[] = [
  smoke("file", "file.html"),
  smoke("plain"),
  smoke("isolated"),
  smoke("insecure"),
  smoke("no-eval"),
  smoke("no-blob"),
  smoke("trusted-types"),
  smoke("sandboxed"),
];

/** The contract. Where nothing is shared, "inline" would be the same again. */
export const CONTRACTS: PageSetup[] = [
  contract("isolated", "web,inline"),
  contract("plain", "web"),
];

/**
 * The same in less time: each browser one, and all of it between them. What the
 * engine does, whatever starts its workers, is left out where that is brief.
 */
export const SHORT_CONTRACTS: Record<string, PageSetup[]> = {
  chromium: [contract("isolated", "web,inline")],
  firefox: [contract("plain", "web&brief")],
  webkit: [contract("plain", "web&brief")],
};

const lecture = (kind: Kind): PageSetup => ({
  kind,
  script: "lecture.html",
  search: "",
});

/** The lecture as a page, which plays itself. */
export const LECTURES: PageSetup[] = [
  lecture("file"),
  lecture("plain"),
  lecture("isolated"),
];

/** The same in less time. */
export const SHORT_LECTURES: Record<string, PageSetup[]> = {
  chromium: [lecture("file")],
  firefox: [lecture("isolated")],
  webkit: [lecture("plain")],
};

/** How the smoke is built by bundlers, each to a page. */
export const BUILDS: string[][] = [
  ["esbuild", "--bundle", "--format=esm"],
  ["esbuild", "--bundle", "--format=esm", "--keep-names", "--target=es2022"],
  ["bun", "build", "--target=browser"],
];

/** Those that change most, which are enough in less time. */
export const SHORT_BUILDS: string[][] = [
  ["esbuild", "--bundle", "--format=iife", "--minify"],
  ["esbuild", "--bundle", "--format=esm", "--minify", "--keep-names"],
  ["bun", "build", "--target=browser", "--minify"],
];
