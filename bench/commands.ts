// Runs commands one against the other: same answer first, then time and peak
// memory of each, by GNU time.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import process from "node:process";

/** A command that is measured. */
export interface Contender {
  name: string;
  /** For a POSIX shell; its standard output is the answer. */
  command: string;
}

/** How it did. */
export interface Figures {
  name: string;
  command: string;
  /** Seconds of each repetition. */
  seconds: number[];
  /** Most memory of one process, in MB. */
  megabytes: number;
}

/** Runs a command in a shell, and fails if it fails. */
export function shell(command: string): string {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], {
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  if (status === 0) return stdout;
  throw new Error(
    `Cannot run ${command} as it must end with 0: received ${status} ${stderr}`,
  );
}

/** Whether a program is here. */
export function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** The two runtimes, by their own programs: npm's `deno` starts Node first. */
export function runtimes(): { name: string; run: string }[] {
  const deno = shell("deno eval 'console.log(Deno.execPath())'").trim();
  const bun = shell("bun -e 'console.log(process.execPath)'").trim();
  return [
    { name: "deno", run: `${deno} run -A` },
    { name: "bun", run: bun },
  ];
}

/**
 * Measures commands in turns, after one run of each that is only compared.
 *
 * @param contenders The commands; each must write the same lines, in any order.
 * @param repeats How often each is measured.
 * @param times File for what GNU time writes.
 */
export function measure(
  contenders: Contender[],
  repeats: number,
  times: string,
): Figures[] {
  const figures = contenders.map(({ name, command }): Figures => ({
    name,
    command,
    seconds: [],
    megabytes: 0,
  }));
  let answer: string | undefined;
  for (const { name, command } of contenders) {
    const sum = shell(`(${command}) | LC_ALL=C sort | sha256sum`);
    answer ??= sum;
    if (sum !== answer) {
      throw new Error(`Cannot compare as answers must agree: received ${name}`);
    }
  }
  for (let round = 0; round < repeats; round++) {
    for (const [i, { command }] of contenders.entries()) {
      const quoted = command.replaceAll("'", `'\\''`);
      shell(
        `/usr/bin/time -o '${times}' -f '%e %M' sh -c '${quoted}' > /dev/null`,
      );
      const [seconds, kilobytes] = readFileSync(times, "utf8").trim()
        .split(" ").map(Number);
      figures[i].seconds.push(seconds);
      figures[i].megabytes = Math.max(figures[i].megabytes, kilobytes / 1000);
    }
  }
  return figures;
}

/** Middle of some numbers. */
export function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/**
 * Prints figures as a table.
 *
 * @param figures Of each command.
 * @param inputs How many inputs each had.
 */
export function print(figures: Figures[], inputs: number): void {
  const base = median(figures[0].seconds);
  console.log(
    "| command | median s | spread s | inputs/s | time, of the first | peak MB |",
  );
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const { name, seconds, megabytes } of figures) {
    const middle = median(seconds);
    const spread = `${Math.min(...seconds)}–${Math.max(...seconds)}`;
    const rate = Math.round(inputs / middle).toLocaleString("en");
    const ratio = `× ${(middle / base).toFixed(2)}`;
    console.log(
      `| ${name} | ${middle} | ${spread} | ${rate} | ${ratio} | ${
        Math.round(megabytes)
      } |`,
    );
  }
  // In full: how many processes are started depends on every flag.
  console.log();
  for (const { name, command } of figures) console.log(`${name}: ${command}`);
}

/** Prints machine, versions and date. */
export function printPlace(tools: string[]): void {
  const versions = tools.map((tool) =>
    shell(`${tool} --version | head -1`).trim()
  );
  console.log(
    `${cpus().length} × ${
      cpus()[0].model
    }, ${process.platform} ${process.arch}, ${
      new Date().toISOString().slice(0, 10)
    }`,
  );
  console.log(`${versions.join("; ")}\n`);
}
