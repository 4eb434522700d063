// A picture of a run, drawn while it goes on: a lane for each worker, a bar for
// each addition. Its clock is that of the text beside it.
/// <reference lib="dom" />

import { find, findAll, make, seconds, still } from "./dom.ts";

/** One addition in one lane; it grows until it has an end. */
export interface Bar {
  element: HTMLElement;
  lane: number;
  label: string;
  from: number;
  to: number | undefined;
}

/** How many ms a picture shows when it is empty; more as they are needed. */
const SPAN_MS = 1200;

/** A picture. Times are in ms of `performance.now()`. */
export class Picture {
  readonly #figure: HTMLElement;
  readonly #plane: HTMLElement;
  readonly #usual: number;
  #names: string[] = [];
  #tracks: HTMLElement[] = [];
  #bars: Bar[] = [];
  #span: number;
  #zero: number | undefined;
  #end: number | undefined;

  constructor(figure: HTMLElement, names: string[], span: number = SPAN_MS) {
    this.#figure = figure;
    this.#plane = find(".plane", figure);
    this.#usual = this.#span = span;
    this.clear(names);
  }

  /** How many ms it shows. */
  get span(): number {
    return this.#span;
  }

  /** Empties it; with other names, it has other lanes. */
  clear(names: string[] = this.#names): void {
    this.#names = names;
    this.#bars = [];
    this.#zero = this.#end = undefined;
    this.#plane.replaceChildren();
    this.#tracks = names.map((name) => {
      const lane = make("div", "lane");
      const track = make("div", "track");
      lane.append(make("span", "name", name), track);
      this.#plane.append(lane);
      return track;
    });
    find(".unseen", this.#figure).textContent = "";
    this.stretch(this.#usual);
  }

  /** Starts its clock. */
  begin(at: number): void {
    this.#zero = at;
    if (!still.matches) requestAnimationFrame(() => this.#grow());
  }

  /** Begins a bar. */
  open(lane: number, label: string, from: number): Bar {
    const element = make("div", "bar");
    element.append(make("span", "", label));
    const bar: Bar = { element, lane, label, from, to: undefined };
    this.#bars.push(bar);
    this.#place(bar, from);
    this.#tracks[lane]?.append(element);
    return bar;
  }

  /** Ends a bar, and says when it really was. */
  close(bar: Bar, from: number, to: number, label: string = bar.label): void {
    find("span", bar.element).textContent = bar.label = label;
    bar.element.classList.add("done");
    bar.from = from;
    bar.to = to;
    this.#place(bar, to);
  }

  /** Takes a bar back. */
  drop(bar: Bar): void {
    bar.element.remove();
    this.#bars = this.#bars.filter((one) => one !== bar);
  }

  /** Marks a moment in a lane. */
  mark(lane: number, label: string, at: number): void {
    // The one before, if it were under this one.
    const last = this.#bars.findLast((bar) => bar.lane === lane);
    if (last !== undefined && at - last.from < this.#span / 20) this.drop(last);
    const bar = this.open(lane, label, at);
    bar.element.classList.add("mark");
    const late = at - (this.#zero ?? at) > this.#span * 0.8;
    bar.element.classList.toggle("late", late);
    this.close(bar, at, at);
  }

  /** Stops its clock, marks the end, and tells it all in words. */
  finish(at: number): void {
    const zero = this.#zero ?? at;
    this.#makeRoom(at - zero);
    this.#end = at - zero;
    const line = make("div", "end");
    line.style.setProperty("--at", String(this.#end));
    line.append(make("b", "", seconds(this.#end)));
    this.#plane.append(line);
    this.#hideTicks();
    const words = this.#names.map((name, lane) => {
      const bars = this.#bars.filter((bar) => bar.lane === lane);
      const said = bars.map(({ label, from, to }) =>
        `${label} from ${seconds(from - zero)} to ${seconds((to ?? at) - zero)}`
      );
      return `${name}: ${said.join(", ") || "nothing"}.`;
    });
    find(".unseen", this.#figure).textContent = words.join(" ");
  }

  /** Shows so many ms, with lines at round times. */
  stretch(span: number): void {
    this.#span = span;
    this.#plane.style.setProperty("--span", String(span));
    for (const line of findAll(".tick", this.#plane)) line.remove();
    const step =
      [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000].find((ms) =>
        span / ms <= 6
      ) ?? 60_000;
    for (let ms = 0; ms < span * 0.98; ms += step) {
      const line = make("div", "tick");
      line.style.setProperty("--at", String(ms));
      line.append(make("small", "", ms === 0 ? "0 s" : String(ms / 1000)));
      this.#plane.prepend(line);
    }
    this.#hideTicks();
  }

  /** Hides the times that the time at the end would cover. */
  #hideTicks(): void {
    const end = this.#end;
    if (end === undefined) return;
    const late = end > this.#span / 2;
    const width = this.#tracks[0].clientWidth;
    find(".end", this.#plane).classList.toggle("late", late);
    for (const line of findAll(".tick", this.#plane)) {
      const at = Number(line.style.getPropertyValue("--at"));
      const far = (at - end) / this.#span * width; // px
      const covered = late ? far > -85 && far < 1 : far > -30 && far < 65;
      line.classList.toggle("covered", covered);
    }
  }

  #place({ element, from }: Bar, to: number): void {
    const zero = this.#zero ?? from;
    this.#makeRoom(to - zero);
    element.style.setProperty("--from", String(from - zero));
    element.style.setProperty("--to", String(to - zero));
  }

  #makeRoom(ms: number): void {
    let span = this.#span;
    while (ms > span * 0.96) span *= 1.5;
    if (span !== this.#span) this.stretch(span);
  }

  #grow(): void {
    if (this.#zero === undefined || this.#end !== undefined) return;
    const now = performance.now();
    for (const bar of this.#bars) {
      if (bar.to === undefined) this.#place(bar, Math.max(now, bar.from));
    }
    requestAnimationFrame(() => this.#grow());
  }
}

/** Lets pictures be compared by their widths. */
export function level(pictures: Picture[]): void {
  const span = Math.max(...pictures.map((picture) => picture.span));
  for (const picture of pictures) picture.stretch(span);
}
