/**
 * The version of the package.
 *
 * @module
 */

/** Kept equal to that of deno.json by tests/cli_usage_test.ts. */
export const VERSION = "0.1.0";
