/**
 * What esbuild's `--keep-names` leaves in the source of functions: a call of a
 * function of its own around each inner one, `__name(() => {}, "inner")`, which
 * is called otherwise after `--minify`.
 *
 * @module
 */

/** Whatever has bundled this file wraps the function in it, or does not. */
const probe = () => {
  const inner = () => {};
  return inner;
};

/**
 * Declares what a source calls by the names that esbuild gives it.
 *
 * @param source JavaScript that is to run without its bundle.
 * @returns Declarations to put before it; empty for nearly every source.
 */
export function keptNames(source: string): string {
  const bundled = String(probe);
  // Nearly always: the expression below costs a cold start 0.3 ms on Bun.
  const plain = !bundled.includes('"inner"') && !source.includes("__name(");
  if (plain) return "";
  const wrapped = /([\w$]+)\(\(\)\s*=>\s*\{\s*\},\s*"inner"\)/;
  const own = wrapped.exec(bundled)?.[1];
  // Another bundle than ours, or a file compiled alone, has the name it had.
  return [...new Set([own, "__name"])]
    .filter((name) => name !== undefined && source.includes(`${name}(`))
    .map((name) =>
      `const ${name}=(f,value)=>Object.defineProperty(f,"name",{value,configurable:true});`
    )
    .join("");
}
