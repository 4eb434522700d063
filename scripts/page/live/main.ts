// The script of the page: gives every step its button, and says what this
// browser can do.
/// <reference lib="dom" />

import { counting } from "./counting.ts";
import { cores, find, findAll, noWorkers } from "./dom.ts";
import { defineElements } from "./elements.ts";
import { highlight } from "./highlight.ts";
import { lecture } from "./lecture.ts";
import { play } from "./play.ts";
import { alone } from "./stage.ts";
import { yours } from "./yours.ts";

function start(): void {
  const many = cores === 1 ? "one core" : `${cores} cores`;
  find("#here").textContent = noWorkers ??
    `Your browser says that this computer has ${many}.`;
  for (const section of findAll("section")) {
    section.setAttribute("aria-labelledby", `${section.id}-title`);
  }
  highlight();
  const stages = lecture();
  counting();
  play();
  yours();

  const state = find("#strip .state");
  find("#strip .run").addEventListener("click", () =>
    alone(async () => {
      for (const [i, stage] of stages.entries()) {
        if (i === 0) continue;
        state.textContent = `step ${i + 1} …`;
        await stage.run();
      }
      const own = findAll("#strip .own").length;
      state.textContent = `done. Bars that are yours now: ${own} of 6`;
    }));
}

defineElements();
document.addEventListener("DOMContentLoaded", start);
