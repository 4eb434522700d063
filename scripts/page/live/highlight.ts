// Marks the comments, texts and keywords of the code on the page, and lets it be
// scrolled by keyboard, as other long texts.
/// <reference lib="dom" />

import { findAll, make } from "./dom.ts";

const PARTS =
  /(\/\/.*)|("[^"\n]*")|\b(?:async|await|const|else|export|for|from|function|if|import|let|new|of|return|yield)\b/g;

/** Marks all code. */
export function highlight(): void {
  for (const pre of findAll("pre")) {
    pre.tabIndex = 0;
    pre.setAttribute("role", "group");
    pre.setAttribute("aria-label", pre.className || "code");
  }
  for (const code of findAll("pre code")) {
    const text = code.textContent!;
    code.textContent = "";
    let end = 0;
    for (
      const { 0: part, 1: comment, 2: quoted, index } of text.matchAll(PARTS)
    ) {
      const tag = comment ? "i" : quoted ? "span" : "b";
      code.append(text.slice(end, index), make(tag, "", part));
      end = index + part.length;
    }
    code.append(text.slice(end));
  }
}
