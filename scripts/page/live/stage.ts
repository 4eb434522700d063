// A step on the page: its button, the reader's guess, its pictures, and what came
// out. One step runs at a time, as two would be in each other's way.
/// <reference lib="dom" />

import { find, findAll, make, noWorkers, seconds } from "./dom.ts";
import { Picture } from "./picture.ts";

/** What came out of a run, in words. */
export interface Outcome {
  /** Texts for the figures, by their names. */
  figures: Record<string, string>;
  /** One sentence of why, or two. */
  why: string;
  /** The results, as a line. */
  results?: string;
  /** What the guess is held against: a number near it, or exactly it. */
  near?: number;
  exactly?: number;
}

/** What a step does. */
type Work = (stage: Stage) => Promise<Outcome>;

let running = false;

/** Lets one thing run at a time, and says so on every button. */
export async function alone(work: () => Promise<void>): Promise<void> {
  if (running) return;
  running = true;
  const buttons = findAll(".run");
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    running = false;
    for (const button of buttons) button.removeAttribute("aria-disabled");
  }
}

/** A step. */
export class Stage {
  readonly section: HTMLElement;
  readonly pictures: Picture[];
  /** How long what was timed last took, in ms. */
  ms = 0;
  /** How long its workers took to start, before, in ms. */
  startMs = 0;
  readonly #work: Work;
  #began = 0;

  /**
   * Finds the step on the page.
   *
   * @param id Of its section.
   * @param lanes The names of the lanes of each picture.
   * @param work What its button does.
   */
  constructor(id: string, lanes: string[][], work: Work) {
    this.section = find(`#${id}`);
    this.#work = work;
    this.pictures = findAll("x-picture", this.section)
      .map((figure, i) => new Picture(figure, lanes[i]));
    find(".run", this.section)
      .addEventListener("click", () => alone(() => this.run()));
  }

  /** Runs it, and shows what came out. */
  async run(): Promise<void> {
    const { section } = this;
    for (const picture of this.pictures) picture.clear();
    for (const place of findAll("[data-of]", section)) place.textContent = "–";
    this.say("running …");
    find(".why", section).textContent = "";
    section.classList.add("running");
    this.begin();
    try {
      this.#show(await this.#work(this));
    } catch (error) {
      const text = `${(error as Error).message ?? error}.`;
      find(".why", section).textContent = noWorkers ??
        `It did not work. ${text}`;
    } finally {
      section.classList.remove("running");
      this.say("");
    }
  }

  /** Says beside the button what goes on. */
  say(text: string): void {
    find(".state", this.section).textContent = text;
  }

  /** What starts workers begins now: not what was measured before. */
  begin(): void {
    this.#began = performance.now();
  }

  /** Runs something by the clock of a picture. */
  async time<T>(
    work: () => Promise<T>,
    picture = this.pictures[0],
  ): Promise<T> {
    const from = performance.now();
    this.startMs = from - this.#began;
    picture.begin(from);
    try {
      return await work();
    } finally {
      const to = performance.now();
      this.ms = to - from;
      picture.finish(to);
      this.#began = to;
    }
  }

  /** Draws every call of a function in this page. */
  watch<T, R>(
    fn: (value: T) => Promise<R>,
    label: (value: T) => string,
  ): (value: T) => Promise<R> {
    const [picture] = this.pictures;
    return async (value) => {
      const from = performance.now();
      const bar = picture.open(0, label(value), from);
      const result = await fn(value);
      picture.close(bar, from, performance.now());
      return result;
    };
  }

  #show({ figures, why, results, near, exactly }: Outcome): void {
    const { section } = this;
    for (const [name, text] of Object.entries(figures)) {
      find(`[data-of=${name}]`, section).textContent = text;
    }
    const said = this.#judge(near, exactly);
    find(".why", section).textContent = `${said} ${why}`.trim();
    if (results !== undefined) find(".line", section).textContent = results;
  }

  /** Puts the guess beside what came out. */
  #judge(near?: number, exactly?: number): string {
    const inputs = findAll<HTMLInputElement>(".guess input", this.section);
    const chosen = inputs.find((input) => input.checked);
    const place = this.section.querySelector("[data-of=guess]");
    if (place === null || (near ?? exactly) === undefined) return "";
    place.className = "";
    if (chosen === undefined) return "";
    const far = ({ value }: HTMLInputElement) =>
      exactly !== undefined
        ? Math.abs(Number(value) - exactly)
        : Math.abs(Math.log(Number(value) / near!));
    const best = inputs.reduce((a, b) => far(b) < far(a) ? b : a);
    const right = far(chosen) === far(best);
    place.textContent = `${chosen.nextSibling!.textContent} `;
    place.append(make("small", "", right ? "right" : "not quite"));
    place.className = right ? "right" : "";
    return right
      ? "You were right."
      : `You guessed ${chosen.nextSibling!.textContent}.`;
  }
}

/** Says what starting the workers took, which no clock of a step counts. */
export const started = (stage: Stage): string =>
  `Starting the workers took ${seconds(stage.startMs)}, before the clock ran.`;
