/**
 * Which options somebody gave: for whatever checks them.
 *
 * @module
 */

/**
 * Lists the names in a set of options, each to be read once: inherited ones count.
 *
 * @param options The options as the caller gave them.
 * @param known Names that may stand there.
 * @returns All names; those that are not known as well.
 */
export function optionNames(options: object, known: string[]): Set<string> {
  const names = new Set<string>();
  for (const name in options) names.add(name);
  // What a class inherits from its getters is in no such loop.
  for (const name of known) if (name in options) names.add(name);
  // What somebody has added to all objects is no option.
  for (const name in Object.prototype) {
    if (!Object.hasOwn(options, name)) names.delete(name);
  }
  return names;
}
