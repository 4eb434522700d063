// What the steps of the lecture write down: how long each way to do some work
// took, told at once, and at the end all of them in one table; and a picture of
// each, for a page.

import type { Pool, RunEvent } from "../../mod.ts";
import { type Section, Timeline, toPage } from "../../src/timeline/mod.ts";

/** One way to do some work. */
export interface Way {
  /** The work, such as `ten slow adds`. */
  work: string;
  /** How it is done, such as `5 workers`. */
  how: string;
  /** How often; the best time counts. Once, unless given. */
  times?: number;
}

/** One line of the table. Times are in seconds. */
interface Row extends Way {
  step: number;
  startUp: number | undefined;
  seconds: number;
  /** How often faster than the first way to do the same work. */
  speedup: number | undefined;
  results: string;
}

/** Times the steps of the lecture, tells about each, and keeps the table. */
export class Notes {
  readonly #rows: Row[] = [];
  readonly #pictures: Section[] = [];
  #step = 0;
  #startUp: number | undefined;

  /**
   * Opens the notes.
   *
   * @param draws Whether there are to be pictures.
   */
  constructor(draws = false) {
    if (!draws) return;
    this.record = (event) => this.#pictures.at(-1)?.timeline.record(event);
  }

  /** Begins the next step. */
  heading(title: string): void {
    this.#step++;
    console.log(`\n${this.#step}. ${title}`);
  }

  /**
   * Begins a picture: what is recorded from now on is in it.
   *
   * @param title What it shows.
   * @param text What to look at.
   * @param scale Pictures of one scale can be compared by their width.
   * @param notes Texts beside the rows, by the worker's number.
   */
  picture(
    title: string,
    text: string,
    scale?: string,
    notes?: Record<number, string>,
  ): void {
    const timeline = new Timeline();
    const step = `${this.#step}. ${title}`;
    this.#pictures.push({ timeline, title: step, text, scale, notes });
  }

  /**
   * Records what the workers of a pool do: its `onEvent`. Undefined without
   * pictures, as to be watched takes a worker some of its time.
   */
  readonly record: ((event: RunEvent) => void) | undefined;

  /** Records every call of a function in this thread. */
  watch<T, R>(fn: (value: T) => R): (value: T) => R {
    if (this.record === undefined) return fn;
    const { timeline } = this.#pictures.at(-1)!;
    return (value) => timeline.measure(() => fn(value));
  }

  /** All pictures as one HTML page. */
  toPage(title: string): string {
    return toPage(this.#pictures, { title });
  }

  /** Starts the workers of a pool, and tells what that alone takes. */
  async startUp(pool: Pool): Promise<void> {
    this.#startUp = await clock(() => pool.start());
    console.log(`   workers ready after ${this.#startUp.toFixed(3)} s`);
  }

  /** Does some work in one way, and writes down how many seconds it took. */
  async time(
    way: Way,
    work: () => Iterable<unknown> | Promise<Iterable<unknown>>,
  ): Promise<number> {
    let results = "";
    let seconds = Infinity;
    for (let i = 0; i < (way.times ?? 1); i++) {
      const took = await clock(async () => {
        results = [...await work()].join(" ");
      });
      seconds = Math.min(seconds, took);
    }
    const first = this.#rows.find((row) => row.work === way.work);
    const speedup = first && first.seconds / seconds;
    const row = { ...way, step: this.#step, seconds, speedup, results };
    this.#rows.push({ ...row, startUp: this.#startUp });
    this.#startUp = undefined;
    console.log(
      `   ${results}\n   ${way.work}, ${way.how}: ${seconds.toFixed(3)} s` +
        (speedup ? `, ${speedup.toFixed(1)} times as fast` : ""),
    );
    return seconds;
  }

  /** Shows all times in one table. */
  printTable(): void {
    const lines = [
      ["", "work", "how", "start", "seconds", "speed-up", "results"],
      ...this.#rows.map((row) => [
        String(row.step),
        row.work,
        row.how,
        row.startUp?.toFixed(3) ?? "",
        row.seconds.toFixed(3),
        row.speedup === undefined ? "" : `${row.speedup.toFixed(1)}x`,
        row.results,
      ]),
    ];
    const widths = lines[0].map((_, column) =>
      Math.max(...lines.map((line) => line[column].length))
    );
    const numbers = [3, 4, 5]; // columns that end, not begin, on one line
    for (const line of lines) {
      const cells = line.map((cell, column) =>
        numbers.includes(column)
          ? cell.padStart(widths[column])
          : cell.padEnd(widths[column])
      );
      console.log(cells.join("  ").trimEnd());
    }
  }
}

/** How long something takes, in seconds. */
async function clock(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
