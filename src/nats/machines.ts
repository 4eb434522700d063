/**
 * The machines of a pool, as a client sees them.
 *
 * @module
 */

import type { RunEvent } from "@parallel/map";
import { type Clock, MOST_AT_ONCE } from "@parallel/map/seam";
import type { Connection } from "./connection.ts";
import { type MachineInfo, WIRE_VERSION } from "./messages.ts";

/** Looks in a row that a machine may not answer. */
const MOST_MISSED = 3;

/** How often it looks who is there, in ms. */
const LOOK_MS = 3000;

/** What machines are made with. */
export interface MachinesSetup {
  connection: Connection;
  clock: Clock;
  emit(event: RunEvent): void;
  /** Told when a machine comes or goes. */
  onChange(): void;
}

/** The machines of a pool. */
export class Machines {
  readonly #setup: MachinesSetup;
  readonly #known = new Map<string, MachineInfo & { missed: number }>();
  /** Numbers of their workers, for events: by machine, and by the number there. */
  readonly #workers = new Map<string, Map<number, number>>();
  /** Machines with numbers that were not known at the last count. */
  #unknown = new Set<string>();
  #stop: () => void = () => {}; // looking now and then
  #count = 0;
  #counted = -Infinity; // when it last counted those that do not answer

  /** Listens to those that come. */
  constructor(setup: MachinesSetup) {
    this.#setup = setup;
    const { connection } = setup;
    connection.nc.subscribe(connection.subject("here"), {
      callback: (error, message) => {
        if (error === null) this.#hear(message.data);
      },
    });
    connection.onReconnect(() => this.look());
    this.look();
  }

  /** Looks now and then, also while nothing is to be done. */
  watch(): void {
    this.#stop = this.#setup.clock.after(LOOK_MS, () => {
      this.look();
      this.watch();
    });
  }

  /** Those that answered of late, and take chunks. */
  get all(): MachineInfo[] {
    return this.#ours.filter(({ slots }) => slots > 0)
      .map(({ missed: _, ...info }) => info);
  }

  /** Whether there is none, not even one that is to end when what runs has. */
  get none(): boolean {
    return this.#ours.length === 0;
  }

  get #ours(): (MachineInfo & { missed: number })[] {
    return [...this.#known.values()].filter(({ wire }) =>
      wire === WIRE_VERSION
    );
  }

  /** How many tasks they run at once. */
  get slots(): number {
    let slots = 0;
    for (const machine of this.#ours) slots += machine.slots;
    return slots;
  }

  /** Versions of the messages that other machines speak; none is counted. */
  get strangers(): number[] {
    const versions = new Set([...this.#known.values()].map(({ wire }) => wire));
    versions.delete(WIRE_VERSION);
    return [...versions];
  }

  /** The versions of the module they have. */
  get fingerprints(): string[] {
    const found = this.all.map(({ fingerprint }) => fingerprint);
    return [...new Set(found)].filter((one) => one !== undefined);
  }

  /** Asks who is there; forgets who has not answered for a while. */
  look(): void {
    const { nc, down } = this.#setup.connection;
    if (nc.isClosed() || down > 0) return;
    const now = this.#setup.clock.now();
    // Calls look as well when they begin: these looks may follow each other fast.
    if (now - this.#counted >= 0.9 * LOOK_MS) {
      this.#counted = now;
      for (const machine of this.#known.values()) {
        if (++machine.missed > MOST_MISSED) this.#forget(machine.id, true);
      }
      this.#forgetUnknown();
    }
    const reply = this.#setup.connection.subject("here");
    nc.publish(this.#setup.connection.subject("hello"), "", { reply });
  }

  /**
   * The number of a worker on some machine, for events.
   *
   * @param machine Id of the machine.
   * @param worker Its number there.
   * @returns Its number here; seen for the first time, that is told.
   */
  numberOf(machine: string, worker: number): number {
    const workers = this.#workers.get(machine) ?? new Map<number, number>();
    const known = workers.get(worker);
    if (known !== undefined) return known;
    const number = this.#count++;
    this.#workers.set(machine, workers.set(worker, number));
    const { emit, clock } = this.#setup;
    const at = clock.now();
    emit({ type: "worker-start", worker: number, from: at, to: at });
    emit({ type: "worker-ready", worker: number, at });
    return number;
  }

  /** Looks no more, and tells of all workers that they ended. */
  close(): void {
    this.#stop();
    for (const machine of this.#workers.keys()) this.#forget(machine, false);
  }

  #hear(data: Uint8Array): void {
    const info = readInfo(data);
    if (info === undefined) return;
    if (info.ends) return this.#forget(info.id, false);
    const isNew = !this.#known.has(info.id);
    this.#known.set(info.id, { ...info, missed: 0 });
    if (isNew) this.#setup.onChange();
  }

  /**
   * Forgets those whose answers came after it was told that they ended. Twice, as
   * a machine that came just now may be heard after its first answer.
   */
  #forgetUnknown(): void {
    const before = this.#unknown;
    this.#unknown = new Set();
    for (const machine of this.#workers.keys()) {
      if (this.#known.has(machine)) continue;
      if (before.has(machine)) this.#forget(machine, false);
      else this.#unknown.add(machine);
    }
  }

  #forget(id: string, lost: boolean): void {
    this.#known.delete(id);
    const { emit, clock } = this.#setup;
    const workers = this.#workers.get(id)?.values() ?? [];
    this.#workers.delete(id);
    for (const worker of workers) {
      emit({ type: "worker-end", worker, lost, at: clock.now() });
    }
    this.#setup.onChange();
  }
}

/** Reads what a machine says of itself, if it is that. */
function readInfo(data: Uint8Array): MachineInfo | undefined {
  try {
    const info = JSON.parse(new TextDecoder().decode(data));
    const isInfo = typeof info?.id === "string" &&
      Number.isInteger(info.slots) && info.slots >= 0 &&
      info.slots <= MOST_AT_ONCE && // else all inputs are read at once
      Number.isInteger(info.wire);
    return isInfo ? info : undefined;
  } catch {
    return undefined; // somebody else's
  }
}
