// The reader plays: how many workers, what an addition does, and how much of it.
/// <reference lib="dom" />

import { Pool } from "@parallel/map";
import { PAIRS } from "../../lecture/additions.ts";
import { add } from "../code/play.js";
import { cores, find, findAll, make, seconds, times } from "./dom.ts";
import { lanes, line, sumOf } from "./lecture.ts";
import { recorder } from "./recorder.ts";
import { Stage } from "./stage.ts";

/** How many workers there may be, as in the page. */
const MOST = 16;

/** What the reader has set. */
interface Settings {
  workers: number;
  sleeps: boolean;
  steps: number;
  /** In ms; 0 if there is none. */
  guess: number;
}

function read(): Settings {
  const input = (id: string) => find<HTMLInputElement>(`#play ${id}`);
  return {
    workers: Number(input("#workers").value),
    sleeps: input("[value=asleep]").checked,
    steps: Number(input("#steps").value),
    guess: Number(input("#seconds").value) * 1000,
  };
}

function tell(): void {
  const { workers, sleeps, steps } = read();
  find("#workers-says").textContent = String(workers);
  find("#steps-says").textContent = sleeps
    ? `${steps * 10} ms asleep`
    : `${steps} million steps`;
}

/** Adds all pairs with so many workers; gives the sums. */
async function measure(
  stage: Stage,
  workers: number,
  data: Settings,
): Promise<string> {
  const [picture] = stage.pictures;
  picture.clear();
  const onEvent = recorder(picture, (index) => sumOf(PAIRS[index]));
  const pool = new Pool({ workers, onEvent });
  try {
    await pool.start();
    return line(await stage.time(() => pool.map(add, PAIRS, { data })));
  } finally {
    await pool.close();
  }
}

/** Why it took as long as it did. */
function why({ workers, sleeps }: Settings): string {
  const used = Math.min(workers, PAIRS.length);
  const rounds = Math.ceil(PAIRS.length / used);
  const idle = workers > PAIRS.length
    ? ` ${workers - PAIRS.length} of the workers had nothing to do.`
    : "";
  if (sleeps && rounds === 1) {
    return `All ten slept at once, whatever the cores did.${idle}`;
  }
  if (used === 1) return "One worker does one addition after the other.";
  if (sleeps) return `${used} slept at a time, so it took ${rounds} rounds.`;
  return used > cores
    ? `${used} wanted to compute at once, on ${cores} cores: they took turns.${idle}`
    : `Each of the ${used} could have a core for itself, and it took ${rounds} rounds.`;
}

/** Puts the guess beside what came out. */
function judge(guess: number, ms: number): string {
  const place = find("#play [data-of=guess]");
  if (guess === 0) return "";
  const right = guess / ms < 1.25 && guess / ms > 0.8;
  place.className = right ? "right" : "";
  place.textContent = `${seconds(guess)} `;
  const word = right ? "right" : guess > ms ? "too long" : "too short";
  place.append(make("small", "", word));
  return right ? "You were right. " : `You guessed ${seconds(guess)}. `;
}

/** Gives it its button. */
export function play(): void {
  for (const input of findAll("#play .knobs input")) {
    input.addEventListener("input", tell);
  }
  tell();
  /** What one worker took, in ms, by what an addition does. */
  const bases = new Map<string, number>();
  new Stage("play", [lanes(MOST)], async (stage) => {
    const settings = read();
    const { workers, sleeps, steps, guess } = settings;
    const key = `${sleeps} ${steps}`;
    if (!bases.has(key)) {
      stage.say("first with one worker, to compare …");
      await measure(stage, 1, settings);
      bases.set(key, stage.ms);
    }
    stage.say(workers === 1 ? "one worker …" : `${workers} workers …`);
    const results = await measure(stage, workers, settings);
    const { ms } = stage;
    return {
      results,
      figures: { measured: seconds(ms), speedup: times(bases.get(key)! / ms) },
      why: judge(guess, ms) + why(settings),
    };
  });
}
