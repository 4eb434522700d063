/**
 * What `--help` says.
 *
 * @module
 */

/** The help, 80 columns wide. */
export const HELP = `TODO`;
