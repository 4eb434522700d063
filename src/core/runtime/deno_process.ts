/**
 * How Deno starts itself once more for a process: with what the caller may do,
 * or less, and with the same settings.
 *
 * @module
 */

import type { PermissionLists, Permissions } from "../api/options.ts";
import { PERMISSIONS } from "../api/permission_rules.ts";
import type { ProcessSetup } from "./processes.ts";
import type { WantedOfProcesses } from "./runtime.ts";

/** What is needed of the `Deno` global. */
export interface DenoForProcesses {
  build: { standalone?: boolean };
  cwd(): string;
  env: { toObject(): Record<string, string> };
  execPath(): string;
  permissions: {
    querySync(what: object): { state: string; partial?: boolean };
  };
  statSync(path: string): { isFile: boolean };
}

/** What is needed of the `process` global. */
interface Modules {
  getBuiltinModule(name: "node:url"): { fileURLToPath(url: string): string };
  getBuiltinModule(name: "node:net"): { isIP(host: string): number };
  getBuiltinModule(name: "node:path"): {
    basename(path: string): string;
    dirname(path: string): string;
    resolve(folder: string, path: string): string;
  };
}

function modules(): Modules {
  return (globalThis as unknown as { process: Modules }).process;
}

/**
 * Packages are loaded without a permission: a function that may do nothing could
 * tell the registry anything by a name that it asks for.
 */
const NO_IMPORTS = ["--deny-import", "--no-remote", "--no-npm"];

/** From where Deno imports without being asked, if no flag says otherwise. */
const HOSTS = [
  "deno.land:443",
  "jsr.io:443",
  "esm.sh:443",
  "raw.esm.sh:443",
  "cdn.jsdelivr.net:443",
  "raw.githubusercontent.com:443",
  "gist.githubusercontent.com:443",
];

/**
 * Describes how to start a process.
 *
 * @param deno The `Deno` global.
 * @param wanted What is wanted of it.
 * @returns The setup.
 * @throws {TypeError} When the program may not start one; names the flag.
 */
export function denoProcess(
  deno: DenoForProcesses,
  { near, maxMemory, permissions, imports = true }: WantedOfProcesses = {},
): ProcessSetup {
  if (deno.build.standalone) {
    throw new TypeError(
      'Cannot start processes as a program that "deno compile" made has no Deno to run them: received "backend" "processes", where "threads" is needed',
    );
  }
  const may = (what: object) => isGranted(deno, what);
  if (
    !may({ name: "run" }) && !may({ name: "run", command: deno.execPath() })
  ) {
    throw new TypeError(
      `Cannot start processes as Deno must have --allow-run, or --allow-run=${deno.execPath()}: received neither`,
    );
  }
  // Deno 2.9.5 reads all of it for what it starts.
  if (!may({ name: "env" })) {
    throw new TypeError(
      "Cannot start processes as Deno must have --allow-env, for all variables: received less",
    );
  }
  // With all of it, as it may need that to start, it passes on what Deno 2.9.5
  // takes for code to load, which needs more.
  const loader = may({ name: "run" }) ? undefined : Object
    .entries(deno.env.toObject())
    .find(([name, value]) => /^(LD|DYLD)_/i.test(name) && value !== "");
  if (loader !== undefined) {
    throw new TypeError(
      `Cannot start processes as Deno must have --allow-run, for all programs, where the environment has ${
        loader[0]
      }: received less (unset that, or give all)`,
    );
  }
  const folder = folderOf(near);
  const flags = permissionFlags(
    deno,
    permissions ?? (imports ? "inherit" : "none"),
    folder,
  );
  return {
    pathOf,
    watchesInput: true,
    imports: permissions !== undefined || imports,
    // With less, to end a group would ask the user for it.
    endsGroups: may({ name: "run" }),
    argsFor: (source) => [
      "run",
      "--no-prompt",
      ...flags,
      ...configFlags(deno, folder),
      // So that it looks for garbage before it is ended for it.
      ...(maxMemory ? [`--v8-flags=--max-old-space-size=${maxMemory}`] : []),
      `data:text/javascript,${encodeURIComponent(source)}`,
    ],
  };
}

/**
 * Another path to the same program: of its own, as `process.execPath` has it,
 * node:child_process of Deno 2.9.5 takes it for Node.js, and gives it `-A`, every
 * permission (tests/process_start_test.ts).
 */
function pathOf(execPath: string): string {
  return execPath.replace(/[\\/](?=[^\\/]*$)/, "$&.$&");
}

function isGranted(deno: DenoForProcesses, what: object): boolean {
  try {
    const { state, partial } = deno.permissions.querySync(what);
    return state === "granted" && partial !== true; // nothing of it is denied
  } catch {
    return false; // an older Deno does not know that kind
  }
}

/**
 * Whether something of a kind is denied that a list may hold without Deno's saying
 * so: of a host it tells nothing of ports, nor of a subnet what is in it. Nor of a
 * name what addresses it stands for, which Deno looks at when it connects.
 */
function isPartlyDenied(
  deno: DenoForProcesses,
  name: string,
  one: string,
): boolean {
  if (name !== "net" && name !== "import") return false;
  const { isIP } = modules().getBuiltinModule("node:net");
  const [, host] = /^(\[[^/\]]+\]|[^/:]+):\d+$/.exec(one) ?? [];
  const isWide = host === undefined ||
    (name === "net" && isIP(host.replace(/^\[|\]$/g, "")) === 0);
  return isWide && deno.permissions.querySync({ name }).partial === true;
}

/** The flags that give permissions. */
function permissionFlags(
  deno: DenoForProcesses,
  permissions: Permissions,
  folder: string | undefined,
): string[] {
  if (permissions === "none") return NO_IMPORTS;
  if (permissions === "inherit") return inheritedFlags(deno, folder);
  return Object.entries(PERMISSIONS).flatMap(([name, part]) => {
    const given = permissions[name as keyof PermissionLists] ?? false;
    const isGiven = given === true || (given !== false && given.length > 0);
    if (!isGiven) return name === "import" ? NO_IMPORTS : [];
    const list = given === true
      ? []
      : given.map((one) => fixed(deno, part, one));
    const unsure = list.find((one) => isPartlyDenied(deno, name, one));
    const lacks = given === true
      ? !isGranted(deno, { name })
      : list.some((one) => !isGranted(deno, { name, [part]: one }));
    if (lacks || unsure !== undefined) {
      // Where it has all but some, it must have this one by its name.
      const cure = lacks ? "" : `=${unsure}`;
      throw new TypeError(
        `Cannot start processes as "permissions" must be among those of the program: received "${name}"${
          given === true ? "" : ` ${JSON.stringify(given)}`
        } (give it to the program with --allow-${name}${cure})`,
      );
    }
    return [`--allow-${name}${given === true ? "" : `=${listed(list)}`}`];
  });
}

/**
 * A part of a list as it is meant at the call: a path, as the program may be in
 * another folder when a worker starts. The name of a program is none.
 */
function fixed(deno: DenoForProcesses, part: string, one: string): string {
  const { resolve, basename } = modules().getBuiltinModule("node:path");
  const isPath = part === "path" ||
    (part === "command" && basename(one) !== one);
  return isPath ? resolve(deno.cwd(), one) : one;
}

/** A list as Deno takes it: a comma in a path is two of them. */
function listed(list: string[]): string {
  return list.map((one) => one.replaceAll(",", ",,")).join();
}

/**
 * Gives the permissions of the caller, as far as they can be found out: lists,
 * as in `--allow-read=data`, cannot, apart from folders that are asked for.
 */
function inheritedFlags(
  deno: DenoForProcesses,
  folder: string | undefined,
): string[] {
  const may = (what: object) => isGranted(deno, what);
  const kinds = Object.keys(PERMISSIONS);
  if (kinds.every((name) => may({ name }))) return ["--allow-all"];
  const folders = new Set<string>();
  if (folder !== undefined) folders.add(folder);
  try {
    folders.add(deno.cwd());
  } catch {
    // it may not know
  }
  return kinds.flatMap((name) => {
    if (may({ name })) return [`--allow-${name}`];
    if (name === "read" || name === "write") {
      const some = [...folders].filter((path) => may({ name, path }));
      return some.length > 0 ? [`--allow-${name}=${listed(some)}`] : [];
    }
    if (name !== "import") return [];
    const hosts = HOSTS.filter((host) => may({ name, host }));
    return hosts.length > 0 ? [`--allow-import=${hosts}`] : ["--deny-import"];
  });
}

/** Finds the settings, as Deno itself does for a module of the program. */
function configFlags(
  deno: DenoForProcesses,
  folder: string | undefined,
): string[] {
  for (let at = folder; at !== undefined; at = parentOf(at)) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const path = `${at}/${name}`;
      // Not without permission, as that could ask the user.
      if (!isGranted(deno, { name: "read", path })) continue;
      try {
        if (deno.statSync(path).isFile) return ["--config", path];
      } catch {
        // it is not there
      }
    }
  }
  return [];
}

/** The folder of a module; undefined if it is in none of this machine. */
function folderOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const { fileURLToPath } = modules().getBuiltinModule("node:url");
  const { dirname } = modules().getBuiltinModule("node:path");
  try {
    // Deno takes a "%" for itself where it begins no code.
    return dirname(fileURLToPath(url.replace(/%(?![\da-f]{2})/gi, "%25")));
  } catch {
    return undefined; // it is on the net, or no path, as with a "/" in a name
  }
}

/** The folder above; undefined if there is none. */
function parentOf(folder: string): string | undefined {
  const { dirname } = modules().getBuiltinModule("node:path");
  const above = dirname(folder);
  return above === folder ? undefined : above;
}
