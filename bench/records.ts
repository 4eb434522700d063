/**
 * Records of the shapes that programs map, the same each time: they are drawn
 * from a seed. What comes from a file or the network went through JSON, as it
 * did for whoever has such records.
 *
 * @module
 */

import { seeded } from "../tests/seeded.ts";

/** Any record. */
export type Fields = Record<string, unknown>;

/** Records of one kind. */
export interface Kind {
  /** What they are, in the words of the report. */
  title: string;
  /** Whether they hold other objects. */
  nested: boolean;
  /** Makes that many. */
  make(count: number): Fields[];
}

const WORDS = ("fix parser add worker pool crash on empty input docs typo " +
  "bump deps test flaky wire codec stream order abort signal bench cold " +
  "start message clone transfer").split(" ");

/** What draws the parts of records. */
interface Dice {
  /** From 0 to below 1. */
  random(): number;
  /** A whole number from 0 to below that. */
  below(most: number): number;
  chance(share: number): boolean;
  of<T>(list: readonly T[]): T;
  list<T>(count: number, make: () => T): T[];
  words(count: number): string;
  hex(digits: number): string;
}

function dice(seed: number): Dice {
  const random = seeded(seed);
  const below = (most: number) => Math.floor(random() * most);
  const of = <T>(list: readonly T[]) => list[below(list.length)];
  const list = <T>(count: number, make: () => T) =>
    Array.from({ length: count }, make);
  return {
    random,
    below,
    chance: (share) => random() < share,
    of,
    list,
    words: (count) => list(count, () => of(WORDS)).join(" "),
    hex: (digits) => list(digits, () => below(16).toString(16)).join(""),
  };
}

/** GeoJSON: a feature of a map, with 1 to 10 points. */
function feature(i: number, { below, chance, of, list, words, random }: Dice) {
  const west = random() * 360 - 180;
  const south = random() * 180 - 90;
  const fixed = (n: number) => Number(n.toFixed(6));
  const point = () => [fixed(west + random()), fixed(south + random())];
  const kind = random();
  const geometry = kind < 0.6
    ? { type: "Point", coordinates: point() }
    : kind < 0.85
    ? { type: "LineString", coordinates: list(2 + below(6), point) }
    : { type: "Polygon", coordinates: [list(4 + below(6), point)] };
  return {
    type: "Feature",
    id: i,
    geometry,
    properties: {
      name: chance(0.1) ? null : words(2),
      kind: of(["road", "shop", "park", "stop"]),
      height: below(100),
      lit: chance(0.5),
    },
  };
}

/** What a code host tells of its users: six kinds of payloads. */
function event(i: number, { below, chance, of, list, words, hex }: Dice) {
  const login = () => `${of(WORDS)}${below(10_000)}`;
  const api = "https://api.example.com";
  const issue = () => ({
    id: below(1e9),
    number: below(5000),
    title: words(6),
    state: "open",
    labels: list(below(3), () => ({
      id: below(1e6),
      name: of(WORDS),
      color: hex(6),
    })),
    comments: below(9),
  });
  const commit = () => ({
    sha: hex(40),
    author: { email: `${of(WORDS)}@example.com`, name: words(2) },
    message: words(8),
    distinct: chance(0.9),
    url: `${api}/commits/${hex(12)}`,
  });
  const payloads: Record<string, () => Fields> = {
    PushEvent: () => ({
      push_id: below(1e9),
      size: 1,
      ref: `refs/heads/${of(WORDS)}`,
      head: hex(40),
      before: hex(40),
      commits: list(1 + below(3), commit),
    }),
    WatchEvent: () => ({ action: "started" }),
    CreateEvent: () => ({
      ref: chance(0.5) ? null : of(WORDS),
      ref_type: "branch",
      master_branch: "main",
      description: chance(0.5) ? null : words(9),
    }),
    IssuesEvent: () => ({ action: of(["opened", "closed"]), issue: issue() }),
    IssueCommentEvent: () => ({
      action: "created",
      comment: {
        id: below(1e9),
        body: words(15),
        user: { id: below(1e6), login: login() },
      },
      issue: issue(),
    }),
    ForkEvent: () => ({
      forkee: {
        id: below(1e8),
        full_name: `${of(WORDS)}/${of(WORDS)}`,
        private: false,
        stargazers_count: below(99),
      },
    }),
  };
  const type = of(Object.keys(payloads));
  const event: Fields = {
    id: String(2e10 + i),
    type,
    actor: {
      id: below(1e6),
      login: login(),
      gravatar_id: "",
      url: `${api}/users/u${below(1e5)}`,
      avatar_url: `https://avatars.example.com/u/${below(1e6)}?`,
    },
    repo: {
      id: below(1e8),
      name: `${of(WORDS)}/${of(WORDS)}${below(1e4)}`,
      url: `${api}/repos/${below(1e8)}`,
    },
    payload: payloads[type](),
    public: true,
    created_at: new Date(1.7e12 + i * 1000).toISOString(),
  };
  if (chance(0.3)) event.org = { id: below(1e6), login: of(WORDS) };
  return event;
}

/** Names of packages. */
const PACKAGES = Array.from({ length: 1500 }, (_, i) => {
  const scope = ["", "", "@types/", "@acme/"][i % 4];
  const [a, b] = [i % WORDS.length, (i * 7 + 3) % WORDS.length];
  return `${scope}${WORDS[a]}-${WORDS[b]}${i % 97}`;
});

/** A package.json: its dependencies are dictionaries. */
function manifest(i: number, { below, chance, of, list, words, random }: Dice) {
  // Few packages are in most manifests, and most of them in few.
  const name = () => PACKAGES[Math.floor(PACKAGES.length * random() ** 3)];
  const version = () =>
    `${of(["^", "~", ""])}${below(20)}.${below(30)}.${below(12)}`;
  const dependencies = (count: number) =>
    Object.fromEntries(list(count, () => [name(), version()]));
  const manifest: Fields = {
    name: `${name()}-${i}`,
    version: version(),
    description: words(8),
    main: "dist/index.js",
    license: of(["MIT", "ISC", "Apache-2.0"]),
  };
  if (chance(0.8)) manifest.dependencies = dependencies(below(9));
  if (chance(0.7)) manifest.devDependencies = dependencies(2 + below(8));
  if (chance(0.2)) manifest.peerDependencies = dependencies(1 + below(2));
  if (chance(0.6)) manifest.keywords = list(below(6), () => of(WORDS));
  manifest.scripts = { test: "node test.js", build: "tsc -p ." };
  return manifest;
}

/** A line of a structured log: four of its fields are optional. */
function logLine(i: number, { below, chance, of, list, words, hex }: Dice) {
  const line: Fields = {
    ts: 1.7e12 + i * 37,
    level: of(["info", "warn", "error", "debug"]),
    host: `web-${below(40)}`,
    pid: below(32_768),
    msg: words(7),
    status: of([200, 200, 200, 404, 500]),
    ms: below(1e5) / 100,
    tags: list(below(5), () => of(WORDS)),
  };
  if (chance(0.5)) line.user = `u${below(9999)}`;
  if (chance(0.3)) line.trace = hex(32);
  if (chance(0.1)) line.error = words(10);
  if (chance(0.6)) line.path = `/${of(WORDS)}/${below(9999)}`;
  return line;
}

/** A row of a database as its driver gives it, with nulls. */
function tableRow(i: number, { below, chance, of, words, random }: Dice) {
  const date = () => new Date(1.6e12 + below(1e9) * 100);
  return {
    id: 9_007_199_254_740_993n + BigInt(i),
    email: `${of(WORDS)}${i}@example.com`,
    name: chance(0.1) ? null : words(2),
    balance: random() * 1e4,
    active: chance(0.8),
    age: chance(0.2) ? null : below(90),
    created: date(),
    updated: chance(0.3) ? null : date(),
    note: chance(0.5) ? null : words(6),
    score: chance(0.01) ? -0 : below(100),
    parent: chance(0.7) ? null : BigInt(below(1e9)),
  };
}

function many<T>(count: number, make: (i: number, dice: Dice) => T): T[] {
  const drawn = dice(count);
  return Array.from({ length: count }, (_, i) => make(i, drawn));
}

/** Parses them, as a program did that has them from a file. */
function parsed(
  make: (i: number, dice: Dice) => object,
): (count: number) => Fields[] {
  return (count) => JSON.parse(JSON.stringify(many(count, make)));
}

/** Texts of 0.1 to 10 kB, most of them short. */
export const pages = (count: number): string[] =>
  many(count, (_, { random, words }) => words(Math.ceil(16 * 100 ** random())));

/** A passage of a text, as what searches by meaning keeps it. */
export interface Passage {
  id: number;
  source: string;
  text: string;
  vector: Float32Array;
}

/** Passages, each with a vector of 384 floats. */
export const passages = (count: number): Passage[] =>
  many(count, (id, { hex, random, words }) => ({
    id,
    source: `docs/${hex(8)}.md`,
    text: words(60),
    vector: Float32Array.from({ length: 384 }, () => random() - 0.5),
  }));

/** The kinds of records that a library has to be fast at. */
export const KINDS: Record<string, Kind> = {
  features: {
    title: "features of a map",
    nested: true,
    make: parsed(feature),
  },
  events: {
    title: "events of a code host",
    nested: true,
    make: parsed(event),
  },
  manifests: {
    title: "package manifests",
    nested: true,
    make: parsed(manifest),
  },
  logs: {
    title: "log lines with optional fields",
    nested: false,
    make: parsed(logLine),
  },
  rows: {
    title: "rows of a database",
    nested: false,
    make: (count) => many(count, tableRow),
  },
};

const withMap = (line: Fields) => ({
  ...line,
  seen: new Map([["here", { at: 1, by: "me" }]]),
});

/**
 * Records at which packing can only lose time: it must not be much. What is in
 * them is left to structured clone, or not worth to be learned.
 */
export const ODD_KINDS: Record<string, Kind> = {
  maps: {
    title: "log lines that hold a Map of objects",
    nested: true,
    make: (count) => parsed(logLine)(count).map(withMap),
  },
  "some-maps": {
    title: "log lines, a tenth of which hold such a Map",
    nested: true,
    make: (count) =>
      parsed(logLine)(count).map((line, i) => i % 10 ? line : withMap(line)),
  },
  "random-keys": {
    title: "objects of eight random keys",
    nested: false,
    make: (count) =>
      many(
        count,
        (_, { below, hex, list }) =>
          Object.fromEntries(list(8, () => [hex(8), below(1000)])),
      ),
  },
  shared: {
    title: "log lines that share one list of 200 numbers",
    nested: true,
    make(count) {
      const limits = Array.from({ length: 200 }, (_, i) => i / 7);
      return parsed(logLine)(count).map((line) => ({ ...line, limits }));
    },
  },
};
