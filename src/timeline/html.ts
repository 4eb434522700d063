/**
 * Text as HTML.
 *
 * @module
 */

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/**
 * Makes any text safe between tags and in quoted attributes.
 *
 * @param text Any text.
 * @returns HTML.
 */
export function escape(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ENTITIES[char]);
}

/**
 * Writes paragraphs.
 *
 * @param text Plain text; an empty line begins a new paragraph.
 * @returns HTML.
 */
export function paragraphs(text: string): string {
  return text.split(/\n\s*\n/).filter((part) => part.trim() !== "")
    .map((part) => `<p>${escape(part.trim())}</p>`).join("\n");
}
