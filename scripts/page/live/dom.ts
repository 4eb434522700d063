// The few things the page does with its elements, in short.
/// <reference lib="dom" />

/** Finds an element that must be there. */
export function find<E extends HTMLElement = HTMLElement>(
  selector: string,
  within: ParentNode = document,
): E {
  return within.querySelector<E>(selector)!;
}

/** Finds all elements. */
export function findAll<E extends HTMLElement = HTMLElement>(
  selector: string,
  within: ParentNode = document,
): E[] {
  return [...within.querySelectorAll<E>(selector)];
}

/** Makes an element; its text is a text, whatever stands in it. */
export function make(tag: string, name = "", text = ""): HTMLElement {
  const element = document.createElement(tag);
  if (name !== "") element.className = name;
  element.textContent = text;
  return element;
}

/** Seconds as the page writes them, of ms. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/** A speed-up as the page writes it. */
export const times = (factor: number): string =>
  `${factor < 0.95 ? factor.toPrecision(1) : factor.toFixed(1)} ×`;

/** How many cores the browser says there are. */
export const cores: number = navigator.hardwareConcurrency || 1;

/** Undefined where this page may have workers; else what to say of it. */
export const noWorkers: string | undefined = typeof Worker === "undefined"
  ? "This browser gives this page no workers: only steps 1 to 3 run here."
  : undefined;

/** Whether the reader wants to see little movement. */
export const still: MediaQueryList = matchMedia(
  "(prefers-reduced-motion: reduce)",
);
