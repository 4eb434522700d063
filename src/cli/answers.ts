/**
 * What to say of flags of other programs.
 *
 * @module
 */

/** What to say of flags of other programs that pmap has not, or not so. */
export const ANSWERS: Record<string, string> = {
  "n": "--batch N gives the function N inputs",
  "N": "--batch N gives the function N inputs",
  "L": "--batch N gives the function N inputs",
  "max-args": "--batch N gives the function N inputs",
  "pipe": "--batch N gives the function N inputs",
  "I": "the function gets the input as its argument",
  "a": "name the FILE of inputs after MODULE",
  "arg-file": "name the FILE of inputs after MODULE",
  "c": "each result is one line already",
  "compact-output": "each result is one line already",
  "s": "--batch N gives the function an array",
  "slurp": "--batch N gives the function an array",
  "d": "-0 reads texts that end with a zero byte",
  "C": "--csv and --tsv give objects, or split the line in the function",
  "colsep": "--csv and --tsv give objects, or split the line in the function",
  "delimiter": "-0 reads texts that end with a zero byte",
  "t": "--dry-run shows the calls",
  "u": "--unordered writes results as they come",
  "ungroup": "--unordered writes results as they come",
  "line-buffer": "--unordered writes results as they come",
  "lb": "--unordered writes results as they come",
  "memfree": "--max-memory MB is for each worker",
  "memsuspend": "--max-memory MB is for each worker",
  "resume-failed": "--resume runs failed inputs again",
  "retry-failed": "--resume runs failed inputs again",
  "results": "--joblog FILE holds every result",
  "S": "--on URL has the machines of a pool do the job",
  "sshlogin": "--on URL has the machines of a pool do the job",
};
