/**
 * The folder that the program began in: processes begin there as well, as flags
 * and settings are looked for where a runtime begins. Then they go where the
 * program is by now.
 *
 * @module
 */

interface Modules {
  cwd(): string;
  env: Record<string, string | undefined>;
  getBuiltinModule(name: "node:fs"): {
    realpathSync(path: string): string;
    statSync(path: string): { isDirectory(): boolean };
  };
  getBuiltinModule(name: "node:path"): {
    sep: string;
    dirname(path: string): string;
  };
}

function modules(): Modules {
  return (globalThis as unknown as { process: Modules }).process;
}

function currentFolder(): string | undefined {
  try {
    return modules().cwd();
  } catch {
    return undefined; // it was removed
  }
}

/**
 * The current folder when this module was loaded, or, in a process that went
 * elsewhere, the one where that began; undefined on Deno, where `process` is dear
 * and no program needs it, and in a page.
 */
export const firstFolder: string | undefined = isDeno() || !hasProcess()
  ? undefined
  : begunIn() ?? currentFolder();

/** What `bootProcess` says of it. */
function begunIn(): string | undefined {
  const key = Symbol.for("@parallel/map folder");
  return (globalThis as unknown as Record<symbol, string>)[key];
}

function isDeno(): boolean { // and not a shim of it
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  return (navigator?.userAgent ?? "").startsWith("Deno");
}

function hasProcess(): boolean {
  return typeof (globalThis as { process?: { cwd?: unknown } }).process?.cwd ===
    "function";
}

/**
 * Whether the program is known to have begun in the folder where it loaded this:
 * it may have gone elsewhere before. A shell says where it began, and it is in
 * its own folder, or below; what else has started it may have left their word.
 *
 * @param main The path of the program.
 * @returns That.
 */
export function isFirstFolderSure(main: string): boolean {
  if (firstFolder === undefined) return false;
  const { PWD } = modules().env;
  const { sep } = modules().getBuiltinModule("node:path");
  if (main.startsWith(firstFolder + sep)) return true;
  try {
    const { realpathSync } = modules().getBuiltinModule("node:fs");
    return PWD !== undefined && realpathSync(PWD) === firstFolder;
  } catch {
    return false; // it is not there
  }
}

/**
 * The folder that something is in.
 *
 * @param path Its path.
 * @returns That of the folder.
 */
export function folderAbove(path: string): string {
  return modules().getBuiltinModule("node:path").dirname(path);
}

/**
 * Says where a process starts.
 *
 * @param folder Where it is to start; the current folder if undefined.
 * @returns That folder, if it is another and both are there, and the current
 * one, to go to.
 */
export function startFolder(
  folder: string | undefined,
): { cwd?: string; goesTo?: string } {
  const goesTo = currentFolder();
  if (folder === undefined || goesTo === undefined || folder === goesTo) {
    return {};
  }
  // Bun 1.4.5 names one that was removed.
  return isThere(folder) && isThere(goesTo) ? { cwd: folder, goesTo } : {};
}

function isThere(folder: string): boolean {
  try {
    const { statSync } = modules().getBuiltinModule("node:fs");
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}
