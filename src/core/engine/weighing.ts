/**
 * Inputs by their weights: the heaviest of what is known goes first, and chunks
 * are cut by weight. What is taken is still consecutive.
 *
 * @module
 */

import { show } from "../../words/show.ts";
import type { Source } from "./inputs.ts";
import type { Thrown } from "./listening.ts";
import type { ConsecutiveInputs, NextInputs } from "./next_inputs.ts";
import type { Sink } from "./sink.ts";

/**
 * How many inputs are read ahead to find the heaviest, where nobody knows how
 * many there are. Less, and a heavy one is found late; more, and they are held
 * for longer. A stream reads no further than `bufferSize` says.
 */
const MOST_AHEAD = 1024;

/**
 * How many are read at once then, if others wait. Less, and to put them in order
 * costs more than their tasks; more, and fewer are known at times. No bench.
 */
const LEAST_READ = 128;

/**
 * No fewer are read than this part of those that wait, where these are many: all
 * are put in order each time. No bench.
 */
const FEW = 16;

/**
 * After how many other tasks an input goes that is lighter than all of them, so
 * that none of an endless source waits for ever. No bench.
 */
const MOST_PASSED = 4 * MOST_AHEAD;

/**
 * How many pieces a worker's share of the weight is cut in. A heavier input is a
 * piece of its own, lighter ones go together: less, and those are not told
 * apart; more, and putting them in order costs more.
 */
const PIECES = 64;

/** What an input weighs at least, beside the mean: it takes some time. */
const LEAST_WEIGHT = 0.01;

/**
 * What it weighs at most: sums of these are finite, however many there are, and
 * beside one of these the others are nothing.
 */
const MOST_WEIGHT = 1e15;

/** Inputs that were read at once. Of their weights, 1 is the mean. */
interface WeighedInputs {
  readonly first: number;
  readonly values: ArrayLike<unknown>;
  readonly weights: Float64Array;
}

/** Some of them, consecutive, that wait. */
interface Piece {
  readonly inputs: WeighedInputs;
  readonly from: number;
  readonly to: number;
  readonly weight: number;
  /** How many tasks had been taken when it began to wait. */
  readonly since: number;
  taken: boolean;
}

/** What weighs inputs, and for whom. */
export interface WeighingSetup {
  /** The caller's own. */
  weight: (value: never) => number;
  sink: Sink;
  /** How many workers share the weight. */
  workers: number;
  /** How many inputs go together, if the caller says so. */
  chunkSize: number | undefined;
}

/** Inputs by their weights. */
export class InputsByWeight implements NextInputs {
  readonly total: number | undefined;
  readonly #source: Source;
  readonly #setup: WeighingSetup;
  /** From light to heavy. */
  readonly #waiting: Piece[] = [];
  readonly #byFirst = new Map<number, Piece>();
  #unit: number | undefined;
  #read = 0;
  #weightRead = 0;
  #weightTaken = 0;
  #tasksTaken = 0;
  #ended = false;
  #failure: Thrown;

  constructor(source: Source, setup: WeighingSetup) {
    this.#source = source;
    this.#setup = setup;
    this.total = source.total;
  }

  get weight(): number | undefined {
    if (this.#ended) return this.#weightRead;
    if (this.total === undefined) return undefined;
    return this.#weightRead + Math.max(0, this.total - this.#read);
  }

  get waiting(): number {
    return this.#read - this.#tasksTaken;
  }

  get weightLeft(): number | undefined {
    const { weight } = this;
    return weight && Math.max(0, weight - this.#weightTaken);
  }

  take(weight: number, most: number): ConsecutiveInputs | undefined {
    this.#readAhead(weight);
    const failure = this.#failure;
    if (failure !== undefined && !this.#setup.sink.inTurn) throw failure.error;
    const piece = this.#passed() ?? this.#heaviest();
    if (piece !== undefined) return this.#cut(piece, weight, most);
    if (failure !== undefined) throw failure.error;
    return this.#ended
      ? undefined
      : { first: 0, values: [], weights: undefined };
  }

  takeRest(): ConsecutiveInputs[] {
    const rest: ConsecutiveInputs[] = [];
    for (let piece; (piece = this.#heaviest()) !== undefined;) {
      rest.push(this.#cut(piece, Infinity, Infinity));
    }
    return rest;
  }

  close(): void {
    this.#waiting.length = 0;
    this.#byFirst.clear();
    if (this.#ended) return;
    this.#ended = true;
    this.#source.close();
  }

  /** The piece that waits for longest, if that is too long. */
  #passed(): Piece | undefined {
    if (this.total !== undefined) return undefined;
    const [oldest] = this.#byFirst.values();
    if (oldest === undefined) return undefined;
    const passed = this.#tasksTaken - oldest.since;
    return passed > MOST_PASSED ? oldest : undefined;
  }

  #heaviest(): Piece | undefined {
    for (;;) {
      const piece = this.#waiting.pop();
      if (piece === undefined || !piece.taken) return piece;
    }
  }

  #readAhead(size: number): void {
    if (this.#ended) return;
    const { sink } = this.#setup;
    const ahead = this.total === undefined
      ? MOST_AHEAD - this.waiting
      : Infinity;
    if (ahead < LEAST_READ && this.#byFirst.size > 0) return;
    const room = Math.min(ahead, sink.room(size));
    const isEnd = this.#read === this.total; // though there be no room
    if (room < Math.max(1, this.#byFirst.size / FEW) && !isEnd) return;
    try {
      const values = isEnd ? undefined : this.#source.take(room);
      if (values === undefined) this.#ended = true;
      else if (!this.#ended && values.length > 0) this.#add(values);
    } catch (error) { // what came before it goes first
      this.#failure = { error };
      this.#ended = true;
    }
  }

  #add(values: ArrayLike<unknown>): void {
    const first = this.#read;
    const weights = this.#weigh(values);
    if (this.#ended && this.#failure === undefined) return; // closed meanwhile
    const { length } = weights;
    this.#setup.sink.took(length);
    this.#read += length;
    const sum = sumOf(weights, 0, length);
    this.#weightRead += sum;
    this.#divide({ first, values, weights }, sum);
    this.#dropTaken();
    this.#waiting.sort((a, b) =>
      a.weight - b.weight || b.inputs.first + b.from - a.inputs.first - a.from
    );
  }

  /** The weights of values beside the mean; of those before one that fails. */
  #weigh(values: ArrayLike<unknown>): Float64Array {
    const weights = new Float64Array(values.length);
    const { refills } = this.#source;
    let weighed = 0;
    try {
      for (; weighed < values.length && !this.#ended; weighed++) {
        const value = values[weighed];
        const seen = refills === undefined ? value : refills.seen(value);
        const given: unknown = this.#setup.weight(seen as never);
        checkWeight(given, this.#read + weighed);
        weights[weighed] = given;
      }
    } catch (error) {
      this.#fail(error);
    }
    const found = weights.subarray(0, weighed);
    const mean = meanOf(found);
    const unit = this.#unit ??= mean > 0 ? mean : 1;
    return found.map((weight) =>
      Math.min(MOST_WEIGHT, Math.max(weight / unit, LEAST_WEIGHT))
    );
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#failure = { error };
    this.#ended = true;
    try {
      this.#source.close();
    } catch {
      // What the caller's own function threw is told, as a loop would tell it.
    }
  }

  /** Divides inputs in pieces. */
  #divide(inputs: WeighedInputs, weight: number): void {
    const { chunkSize, workers } = this.#setup;
    const { weights } = inputs;
    const most = weight / (PIECES * workers);
    let from = 0;
    let sum = 0;
    for (let at = 0; at < weights.length; at++) {
      sum += weights[at]!;
      const full = chunkSize === undefined
        ? sum > most
        : at - from === chunkSize;
      if (!full || at === from) continue;
      this.#put(inputs, from, at);
      from = at;
      sum = weights[at]!;
    }
    if (weights.length > from) this.#put(inputs, from, weights.length);
  }

  /** Takes of a piece, and of those after it, what is not too much. */
  #cut(piece: Piece, weight: number, most: number): ConsecutiveInputs {
    const { inputs, from } = piece;
    const { first, weights } = inputs;
    const whole = this.#setup.chunkSize !== undefined;
    const all = weights.subarray(from, piece.to);
    const fits = whole ? all.length : fitting(all, weight);
    let to = from + Math.min(fits, most);
    this.#take(piece);
    if (to < piece.to) this.#put(inputs, to, piece.to);
    else if (!whole) {
      let sum = piece.weight;
      for (let next; (next = this.#byFirst.get(first + to)) !== undefined;) {
        sum += next.weight;
        if (next.inputs !== inputs || sum > weight || next.to - from > most) {
          break;
        }
        this.#take(next);
        to = next.to;
      }
    }
    this.#weightTaken += sumOf(weights, from, to);
    this.#tasksTaken += to - from;
    const list = inputs.values as unknown[];
    const values = list.slice(from, to);
    // Let go of what was handed out: a value must not outlive its task.
    if (Array.isArray(list)) list.fill(undefined, from, to);
    return { first: first + from, values, weights: weights.subarray(from, to) };
  }

  /** Lets consecutive inputs wait. */
  #put(inputs: WeighedInputs, from: number, to: number): void {
    const weight = sumOf(inputs.weights, from, to);
    const since = this.#tasksTaken;
    const piece = { inputs, from, to, weight, since, taken: false };
    this.#waiting.push(piece);
    this.#byFirst.set(inputs.first + from, piece);
  }

  /** Light pieces, which went with others, would never come to the top. */
  #dropTaken(): void {
    let kept = 0;
    for (const piece of this.#waiting) {
      if (!piece.taken) this.#waiting[kept++] = piece;
    }
    this.#waiting.length = kept;
  }

  #take(piece: Piece): void {
    piece.taken = true;
    this.#byFirst.delete(piece.inputs.first + piece.from);
  }
}

/**
 * Says how many tasks fit in a chunk.
 *
 * @param weights What they weigh.
 * @param most What may be in it, apart from the first task.
 * @returns How many tasks, from 1.
 */
export function fitting(weights: ArrayLike<number>, most: number): number {
  let sum = weights[0] ?? 0;
  let count = 1;
  while (count < weights.length && (sum += weights[count]!) <= most) count++;
  return count;
}

/**
 * Adds up weights.
 *
 * @param weights All.
 * @param from Offset of the first.
 * @param to Offset after the last.
 * @returns Their sum.
 */
export function sumOf(
  weights: ArrayLike<number>,
  from: number,
  to: number,
): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += weights[at]!;
  return sum;
}

function checkWeight(weight: unknown, index: number): asserts weight is number {
  if (typeof weight === "number" && weight >= 0 && weight < Infinity) return;
  const Kind = typeof weight === "number" ? RangeError : TypeError;
  throw new Kind(
    `Cannot map as "weight" must give a finite number from 0: received ${
      show(weight)
    } for the input at index ${index}`,
  );
}

function meanOf(weights: Float64Array): number {
  const { length } = weights;
  const sum = sumOf(weights, 0, length);
  if (Number.isFinite(sum)) return sum / length;
  return weights.reduce((mean, weight) => mean + weight / length, 0);
}
