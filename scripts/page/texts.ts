// The words of the page: its steps in order, for somebody who never heard of a
// worker. Backquotes stand around code.

/** One step of the lecture, or a part of one. */
export interface Step {
  /** What the page knows it by. */
  id: string;
  /** Its number; none for a part of the step before. */
  number?: number;
  title: string;
  /** Two or three sentences. */
  text: string;
  /** Files of scripts/page/code/, without `.js`. */
  code: string[];
  /**
   * What the reader predicts. A choice is `label`, which begins with its value,
   * or `label=value`; they are told apart by `|`.
   */
  question?: { text: string; choices: string };
  /** Which figures come out: names that live/elements.ts knows. */
  figures: string;
  /** For how many lines of what comes out there is room. */
  lines: number;
  /** How many lanes each picture has; one may depend on the cores. */
  pictures: { lanes: number; title?: string }[];
  /** Where there is a number to watch: of the page, of each worker. */
  totals?: string[];
}

/** The lecture. */
export const STEPS: Step[] = [
  {
    id: "one",
    lines: 2,
    figures: "measured",
    number: 1,
    title: "One addition that takes a tenth of a second",
    text:
      "A computer adds 10 and 1 in no time. So this addition sleeps first, as if the answer had to come from far away. One call is one bar.",
    code: ["slow_add"],
    pictures: [{ lanes: 1 }],
  },
  {
    id: "loop",
    lines: 4,
    figures: "guess measured speedup",
    number: 2,
    title: "Ten of them, one after the other",
    text:
      "The pairs are 10 and 1, 10 and 2, and so on. A loop waits for each sum before it asks for the next: nothing is computed meanwhile, the page only waits, ten times.",
    code: ["a_loop"],
    question: {
      text: "How long will ten take?",
      choices: "0.1 s|0.5 s|1 s|10 s",
    },
    pictures: [{ lanes: 1 }],
  },
  {
    id: "lazy",
    lines: 5,
    figures: "guess measured speedup",
    number: 3,
    title: "The same with a map of our own: lazy, and no faster",
    text:
      "This map makes a sum only when somebody asks for it. That saves work that nobody wants. Here all ten are wanted.",
    code: ["lazy_map"],
    question: {
      text: "And how long lazily?",
      choices: "no time=0.01|0.1 s|0.5 s|1 s",
    },
    pictures: [{ lanes: 1 }],
  },
  {
    id: "five",
    lines: 6,
    figures: "guess measured speedup",
    number: 4,
    title: "Five workers: five additions at a time",
    text:
      "The pool starts five workers, sends each a pair, and sends the next when a sum comes back. Each lane is one worker. (`time` is the clock of this page, and `onEvent` draws.)",
    code: ["five_workers"],
    question: {
      text: "How long will five workers need?",
      choices: "0.1 s|0.2 s|0.5 s|1 s",
    },
    pictures: [{ lanes: 5 }],
  },
  {
    id: "ten",
    lines: 5,
    figures: "guess measured speedup",
    number: 5,
    title: "Ten workers: all additions at once",
    text:
      "One number has changed. Now every pair has a worker of its own, and nobody has to wait for a seat.",
    code: ["ten_workers"],
    question: {
      text: "How long will ten workers need?",
      choices: "no time=0.01|0.1 s|0.2 s|0.5 s",
    },
    pictures: [{ lanes: 10 }],
  },
  {
    id: "busy",
    lines: 8,
    figures: "guess measured speedup",
    number: 6,
    title: "Ten additions that compute, where the others only slept",
    text:
      "This addition takes ten million roots first, and that keeps a core busy: a core is the part of a processor that computes, one thing at a time. Run tries one worker, ten, and one for each core.",
    code: ["busy_add", "compute_with"],
    question: {
      text: "Ten workers that compute, beside one: how much faster?",
      choices: "no faster=1|by cores=cores|10 times",
    },
    pictures: [
      { lanes: 1, title: "One worker" },
      { lanes: 10, title: "Ten workers" },
      { lanes: 2, title: "One for each core, ten at most" },
    ],
  },
  {
    id: "broken",
    lines: 5,
    figures: "guess total",
    number: 7,
    title: "The bug: a total that the workers do not share",
    text:
      "Two workers add 3, 2, 9 and 1 to `total`; the larger the amount, the longer it takes. The file has one variable of that name. The page loads the file, and so does each worker. At the end the page looks at `total`. (`show` writes it in a box.)",
    code: ["counter", "broken_counter"],
    question: {
      text: "What will `total` be in the page?",
      choices: "15|12|3|0",
    },
    pictures: [{ lanes: 3 }],
    totals: ["this page", "worker 1", "worker 2"],
  },
  {
    id: "returning",
    lines: 4,
    figures: "total",
    title: "Right: return it, and add up in one place",
    text:
      "What a worker finds out, it returns, and only the page adds. Nothing is shared, so nothing can be disturbed. This is the way to go nearly always.",
    code: ["by_returning"],
    pictures: [{ lanes: 3 }],
    totals: ["this page"],
  },
  {
    id: "shared",
    lines: 3,
    figures: "total",
    title: "Right too: memory that all of them share",
    text:
      "Here the page and both workers have the same four bytes before them. `Atomics.add` reads, adds and writes in one go, so no amount is lost between two workers. It is for a number that others must see while the work goes on.",
    code: ["in_shared_memory"],
    pictures: [{ lanes: 3 }],
    totals: ["shared by all"],
  },
];

/** When not to use workers: a rule, and why. */
export const WHEN_NOT: [string, string][] = [
  [
    "When you only wait.",
    "Requests and timers wait side by side in the page itself: `await Promise.all(pairs.map(slowAdd))` takes a tenth of a second as well, without a worker. The additions above sleep to show who does what when.",
  ],
  [
    "When each piece is small.",
    "A message there and back takes longer than a thousand additions. Send work worth some milliseconds, or leave it in a loop.",
  ],
  [
    "When the data is large and the work is little.",
    "What goes to a worker is copied, and so is what comes back.",
  ],
  [
    "When one piece takes nearly all the time.",
    "No number of workers makes the whole faster than its longest piece. Split that one.",
  ],
  [
    "When the pieces must all change one thing.",
    "Return what each found, and put it together in one place. See step 7.",
  ],
  [
    "When every core is busy already.",
    "More workers than cores only share the cores. See step 6.",
  ],
];
