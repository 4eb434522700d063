/**
 * What `--help` and `--version` say.
 *
 * @module
 */

/** The version of the package, as in deno.json (tests/cli_usage_test.ts). */
export const VERSION = "0.1.0";

/** The help, at most 80 columns wide. */
export const HELP = `\
pmap: map one function over many inputs, in parallel workers

  pmap [flags] MODULE[#EXPORT] [FILE...]
  pmap [flags] MODULE[#EXPORT] --args VALUE...

pmap is, with Deno:  deno run -A jsr:@parallel/map/cli
and with Bun:        bun link   in a clone of the project, once; then pmap

MODULE is a path or URL of a JavaScript or TypeScript module; EXPORT is the
function in it, the default export if left out. It is called once per input,
(value, { index, attempt, worker }) => result, and may be async. Each worker
loads the module once. What the function logs goes to standard error.

Example, work.ts:   export const norm = ({ x, y }) => Math.hypot(x, y);
  pmap ./work.ts#norm < in.ndjson > out.ndjson
  ls *.png | pmap ./thumb.ts --lines --bar > done.ndjson
  pmap ./work.ts#norm huge.ndjson --joblog log --resume --retries 2 > out.ndjson

Inputs (from FILEs one after another, or standard input; - is standard input)
      (default)         each line is one JSON value; blank lines are left out
      --lines           each line is the input, as a string
      --args            the arguments are the inputs, as strings

Results go to standard output as JSON, one line per input that succeeded, in
the order of the inputs. An input that failed has a line on standard error
with its index, counted from 0, and does not stop the others.
      --unordered       write results as they come
      --dry-run         write the calls that would be made, and make none

Work
  -j, --workers N       how many workers (all cores); 0 uses none, to debug
      --concurrency N   calls at once in each worker, for async functions (1)
      --chunk-size N    inputs in one message (found by measuring)
      --timeout MS      end a call, and its worker, after that time
      --retries N       call again, up to N times, when a call fails (0)
      --halt WHEN       never (default), or stop at the first failure:
                        now (drop running calls) or soon (let them end).
                        now,fail=3 at the third; soon,fail=5% once 5% failed

Watch
      --bar             show progress on standard error
      --timeline FILE   write a picture of who did what when, as HTML

Survive a crash, Ctrl-C or a power cut
      --joblog FILE     log every input as it ends: index, hash of the input,
                        start, ms, worker, attempt, and result or error; NDJSON
      --resume          go on with that log: inputs it has a result for are not
                        run again, failed ones are. Inputs are known by content,
                        so the list may have changed or moved; of equal inputs
                        each counts. ALL results are written again, as by one
                        unbroken run: redirect with > and not with >>.
                        Without a log yet it starts one, so the same command
                        can be repeated until it exits with 0. A call that was
                        running at a crash runs again.
  A log in use is refused, as is one of another function. It grows by each
  result, and takes about 100 bytes of memory per input.

  -h, --help            this text
      --version         the version

Exit status: 0 every input succeeded, or the reader of the results left;
1 some input failed; 2 wrong usage, nothing was run; 130 Ctrl-C.
`.trimEnd();
