/**
 * What to say of flags of other programs.
 *
 * @module
 */

/** Flags that pmap has not, or not so, and what does the same. */
const SAID: [names: string, text: string][] = [
  ["n N L max-args pipe", "--batch N gives the function N inputs"],
  ["I", "the function gets the input as its argument"],
  ["a arg-file", "name the FILE of inputs after MODULE"],
  ["c compact-output", "each result is one line already"],
  ["s slurp", "--batch N gives the function an array"],
  ["d delimiter", "-0 reads texts that end with a zero byte"],
  [
    "C colsep",
    "--csv and --tsv give objects, or split the line in the function",
  ],
  ["t", "--dry-run shows the calls"],
  ["u ungroup line-buffer lb", "--unordered writes results as they come"],
  ["memfree memsuspend", "--max-memory MB is for each worker"],
  ["resume-failed retry-failed", "--resume runs failed inputs again"],
  ["results", "--joblog FILE holds every result"],
  ["S sshlogin", "--on URL has the machines of a pool do the job"],
];

/**
 * Says what does here what a flag of another program does there.
 *
 * @param name Of the flag, without dashes.
 * @returns It, in words; undefined for a flag that is not known either.
 */
export function cureFor(name: string): string | undefined {
  return SAID.find(([names]) => names.split(" ").includes(name))?.[1];
}
