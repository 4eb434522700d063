// Elements that are filled while the page is read, so that nothing moves once it
// is seen: what a step asks, what it answers, and its picture, both still empty.
/// <reference lib="dom" />

import { cores, make } from "./dom.ts";

const FIGURES: Record<string, string> = {
  guess: "Your guess",
  measured: "Measured",
  speedup: "Speed-up",
  total: "Total in the page",
  loop: "A loop",
  workers: "Workers",
};

/** `<x-trial ask choices>`: what the reader guesses, and the button. */
class Trial extends HTMLElement {
  connectedCallback(): void {
    const { id } = this.closest("section")!;
    const ask = this.getAttribute("ask");
    if (ask !== null) {
      const fieldset = make("fieldset", "guess");
      const choices = make("div");
      for (const choice of this.getAttribute("choices")!.split("|")) {
        const [label, value = String(parseFloat(label))] = choice.split("=");
        choices.append(radio(`guess-${id}`, label, value));
      }
      const [before, code, after = ""] = ask.split("`");
      const legend = make("legend", "", before);
      if (code !== undefined) legend.append(make("code", "", code), after);
      fieldset.append(legend, choices);
      this.append(fieldset);
    }
    const press = make("div", "press");
    const run = make("button", "run", "Run");
    run.setAttribute("aria-describedby", `${id}-title`);
    press.append(run, make("span", "state"));
    this.append(press);
  }
}

/** `<x-outcome figures lines>`: what came out. */
class EmptyOutcome extends HTMLElement {
  connectedCallback(): void {
    const names = this.getAttribute("figures")!.split(" ");
    const figures = make("dl", "figures");
    for (const name of names) {
      const figure = make("div");
      const place = make("dd", "", "–");
      place.dataset.of = name;
      figure.append(make("dt", "", FIGURES[name]), place);
      figures.append(figure);
    }
    const why = make("p", "why");
    why.setAttribute("role", "status");
    why.style.setProperty("--lines", this.getAttribute("lines"));
    this.append(
      figures,
      make("p", "line", names.includes("measured") ? "\u00a0" : ""),
      why,
    );
  }
}

function radio(name: string, label: string, value: string): HTMLElement {
  const isCores = value === "cores";
  const input = document.createElement("input");
  input.type = "radio";
  input.name = name;
  input.value = isCores ? String(cores) : value;
  const whole = make("label");
  whole.append(input, make("span", "", isCores ? `${cores} times` : label));
  // On one core, or on ten, it would be another choice once more.
  whole.hidden = isCores && (cores === 1 || cores === 10);
  return whole;
}

/** `<x-picture lanes name>`: where a picture will be. */
class EmptyPicture extends HTMLElement {
  connectedCallback(): void {
    this.style.setProperty("--lanes", this.getAttribute("lanes"));
    const name = this.getAttribute("name");
    if (name !== null) this.append(make("p", "name", name));
    const plane = make("div", "plane");
    plane.setAttribute("aria-hidden", "true");
    this.append(plane, make("p", "unseen"));
  }
}

/** Makes them known, before the browser reads them. */
export function defineElements(): void {
  customElements.define("x-trial", Trial);
  customElements.define("x-outcome", EmptyOutcome);
  customElements.define("x-picture", EmptyPicture);
}
