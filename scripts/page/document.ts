// The page as HTML, before its script runs: all texts, and a place for
// everything that will appear, so that nothing has to move.

import { type Step, STEPS, WHEN_NOT } from "./texts.ts";

const IN_SHORT = `import { parallelMap } from "@parallel/map";

const sums = await parallelMap(slowAdd, pairs, { workers: 10 });`;

/** What goes into the page. */
export interface Parts {
  /** The style sheet. */
  style: string;
  /** The script. */
  script: string;
  /** What is shown of a file of scripts/page/code/. */
  codeOf(file: string): string;
}

/** Makes text harmless in HTML. */
const escape = (text: string) =>
  text.replace(/[&<]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** A text with its code marked. */
const prose = (text: string) =>
  escape(text).replace(/`([^`]*)`/g, "<code>$1</code>");

const code = (text: string) => `<pre><code>${escape(text)}</code></pre>`;

// The elements of scripts/page/live/elements.ts are filled as they are read.

const trial = (asked?: Step["question"]) =>
  asked === undefined
    ? "<x-trial></x-trial>"
    : `<x-trial ask="${asked.text}" choices="${asked.choices}"></x-trial>`;

const outcome = (figures: string, lines: number) =>
  `<x-outcome figures="${figures}" lines=${lines}></x-outcome>`;

const picture = (lanes: number, title = "") =>
  `<x-picture lanes=${lanes}${
    title === "" ? "" : ` name="${title}"`
  }></x-picture>`;

function totals(names: string[] = []): string {
  if (names.length === 0) return "";
  const cards = names.map((name) =>
    `<div><dt>${name}</dt><dd><small>total</small> <b>0</b></dd></div>`
  );
  return `<dl class=totals>${cards.join("")}</dl>`;
}

function step(step: Step, { codeOf }: Parts): string {
  const { id, number, title, text, question: asked } = step;
  const head = number === undefined
    ? `<h3 id=${id}-title>${title}</h3>`
    : `<p class=number>Step ${number}</p><h2 id=${id}-title>${title}</h2>`;
  const codes = step.code.map((file) => code(codeOf(file)));
  const pictures = step.pictures.map(({ lanes, title }) =>
    picture(lanes, title)
  );
  return `<section class=step id=${id}>
<div class=say>${head}<p>${prose(text)}</p></div>
<div class=show>${codes.join("")}</div>
${trial(asked)}
<div class=see>${totals(step.totals)}${pictures.join("")}</div>
${outcome(step.figures, step.lines)}
</section>`;
}

const WAYS: [string, string, string, number][] = [
  ["loop", "asleep", "in a loop", 1],
  ["five", "asleep", "5 workers", 4.8],
  ["ten", "asleep", "10 workers", 8.8],
  ["busy-1", "computing", "1 worker", 1],
  ["busy-10", "computing", "10 workers", 1.9],
  ["busy-cores", "computing", "one a core", 1.9],
];

/** All that was measured, side by side. */
function strip(): string {
  const group = (kind: string, title: string) => {
    const rows = WAYS.filter(([, one]) => one === kind).map((
      [id, , name, times],
    ) =>
      `<li data-way=${id}><span>${name}</span><i style=--times:${times}></i><b>${
        times.toFixed(1)
      }</b></li>`
    );
    return `<div><h3>${title}</h3><ul>${rows.join("")}</ul></div>`;
  };
  return `<section class=wide id=strip>
<h2 id=strip-title>All of it side by side</h2>
<p class=note>How many times as fast as one after the other. Pale bars are the lecture’s own figures, taken on two cores; yours take their place as you run the steps.</p>
<div class=strip>${group("asleep", "Ten that sleep")}${
    group("computing", "Ten that compute")
  }</div>
<p class=why>Ten that sleep can sleep at the same time, whatever the computer. Ten that compute must share its cores.</p>
<div class=press><button class=run aria-describedby=strip-title>Run steps 2 to 6</button><span class=state role=status></span></div>
</section>`;
}

const range = (id: string, label: string, limits: string) =>
  `<label class=range for=${id}>${label} <output for=${id} id=${id}-says></output></label><input type=range id=${id} ${limits}>`;

const kind = (value: string, label: string) =>
  `<label><input type=radio name=kind value=${value}${
    value === "asleep" ? " checked" : ""
  }><span>${label}</span></label>`;

function play({ codeOf }: Parts): string {
  return `<section class=step id=play>
<div class=say><p class=number>Your turn</p><h2 id=play-title>Play with the numbers</h2><p>The same ten additions. You say how many workers there are, what an addition does, and for how long. Guess first.</p></div>
<div class=show>${code(codeOf("play"))}</div>
<div class=do><div class=knobs>
${range("workers", "Workers", "min=1 max=16 value=4")}
<fieldset class=guess><legend>Each addition</legend><div>${
    kind("asleep", "sleeps")
  }${kind("computing", "computes")}</div></fieldset>
${range("steps", "Length of each", "min=1 max=30 value=10")}
<label class=ask for=seconds>Your guess, in seconds <input type=number id=seconds min=0 max=99 step=0.01 inputmode=decimal></label>
</div>${trial()}</div>
<div class=see>${picture(16)}</div>
${outcome("guess measured speedup", 3)}
</section>`;
}

const area = (id: string, label: string, rows: number) =>
  `<label for=${id}>${label}</label><textarea id=${id} rows=${rows} spellcheck=false autocapitalize=off autocomplete=off></textarea>`;

function yours(): string {
  return `<section class=step id=yours>
<div class=say><p class=number>Step 8</p><h2 id=yours-title>Your function</h2><p>Write a function of one value, and a list of values for it. Run calls it for each value, in as many workers as there are cores and then in a loop, and says why it was not faster. It sees its value and what it defines itself, as it is sent to the workers as text.</p></div>
<div class=show>${area("fn", "Function", 8)}${area("inputs", "Values", 2)}</div>
<div class=do><div class=presets role=group aria-label=Examples><span>Examples</span></div>
${trial()}</div>
<div class=see>${
    picture(2)
  }<p class=label>Results</p><pre class=results>–</pre></div>
${outcome("workers loop speedup", 5)}
</section>`;
}

function whenNot(): string {
  const rows = WHEN_NOT.map(([rule, why]) =>
    `<li><h3>${rule}</h3><p>${prose(why)}</p></li>`
  );
  return `<section class=wide id=when-not><h2 id=when-not-title>When not to use workers</h2><ul class=rules>${
    rows.join("")
  }</ul></section>`;
}

/**
 * Writes the page.
 *
 * @param parts Its style, its script and the code it shows.
 * @returns A whole HTML document.
 */
export function documentOf(parts: Parts): string {
  const steps = STEPS.map((one) => step(one, parts)).join("\n");
  // Nothing is to be fetched, so nothing can be.
  const policy =
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; worker-src blob:; style-src 'unsafe-inline'; img-src data:";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="description" content="Ten slow additions: what web workers do, and what they do not do.">
<link rel="icon" href="data:,">
<title>Ten slow additions: workers, measured in your browser</title>
<style>${parts.style}</style>
<script>${parts.script}</script>
</head>
<body>
<header>
<h1>Ten slow additions</h1>
<p class=lead>What web workers do, and what they do not do: measured here, in your own browser.</p>
<p>A web page does one thing at a time. A <em>worker</em> is a second program that your browser runs beside it, on another core of the processor if one is free. Below, ten additions run one after the other, then in five workers, then in ten. Make a guess, press Run, and compare.</p>
<p class=here id=here role=status>This page needs JavaScript: without it there is nothing to run.</p>
</header>
<main>
${steps}
${strip()}
${play(parts)}
${yours()}
${whenNot()}
</main>
<footer>
<p>This page is one file. It fetches nothing, sends nothing and keeps nothing; save it, and it works from your disk. Inside is <strong>@parallel/map</strong>, which maps in parallel on Deno, Bun, Node.js and in browsers. Its README says how to get it. In a program of yours, step 5 is this:</p>
${code(IN_SHORT)}
</footer>
</body>
</html>
`;
}
