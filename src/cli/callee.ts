/**
 * What is to be called, as the first argument says it.
 *
 * @module
 */

import { withoutSecrets } from "./on.ts";
import type { ClusterPlace } from "./seam.ts";
import { UsageError } from "./values.ts";

/** What can be the name of an export, and called by a name. */
const EXPORT = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/**
 * Reads `MODULE#EXPORT`; the default export without `#`. Or the EXPORT, where
 * other machines have the module.
 *
 * @param text The first argument; undefined if there is none.
 * @param on The machines that do the job; undefined if this one does.
 * @returns The module, empty where it is not here, and the name of its export.
 * @throws {UsageError} When it is neither.
 */
export function readCallee(
  text: string | undefined,
  on: ClusterPlace | undefined,
): { module: string; name: string } {
  if (on !== undefined) return { module: "", name: readExport(text) };
  if (text === undefined) {
    throw new UsageError(
      "Cannot run as the first argument must be MODULE or MODULE#EXPORT, or the function must stand in -e: received none (pmap --help shows examples)",
    );
  }
  refuseAddress(text);
  const cut = text.lastIndexOf("#");
  const module = cut < 0 ? text : text.slice(0, cut);
  const name = cut < 0 ? "default" : text.slice(cut + 1);
  if (module !== "" && name !== "") return { module, name };
  throw new UsageError(
    `Cannot run as the first argument must be MODULE or MODULE#EXPORT: received "${text}"`,
  );
}

/** Reads what stands for MODULE where the machines have the module. */
function readExport(text: string | undefined): string {
  if (text !== undefined && (text === "-e" || EXPORT.test(text))) return text;
  const end = text?.split("#").at(-1) ?? "";
  const cure = text === undefined
    ? ""
    : text.includes("#") && EXPORT.test(end)
    ? ` (${end}, if their module exports it)`
    : " (the module is named where a worker is started)";
  throw new UsageError(
    `Cannot run as with --on the first argument must be the name of an export of the module that the machines have, or the function must stand in -e: received ${
      text === undefined ? "none" : `"${withoutSecrets(text)}"`
    }${cure}`,
  );
}

/** Refuses the address of a pool where a module must stand. */
function refuseAddress(module: string): void {
  if (!/^(nats|tls):\/\//i.test(module)) return;
  throw new UsageError(
    `Cannot run as MODULE must be a file or a URL of a module: received "${
      withoutSecrets(module)
    }" (a pool stands after --on)`,
  );
}
