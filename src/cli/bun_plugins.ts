/**
 * What is used of Bun, as types.
 *
 * @module
 */

/** How Bun is told to load modules. */
export interface BunPlugins {
  plugin(plugin: {
    name: string;
    setup(build: {
      onResolve(
        which: { filter: RegExp; namespace: string },
        resolve: (asked: { path: string }) => {
          path: string;
          namespace: string;
        },
      ): void;
      onLoad(
        which: { filter: RegExp; namespace: string },
        load: (
          asked: { path: string },
        ) => Promise<{ contents: string; loader: string }>,
      ): void;
    }): void;
  }): void;
  Transpiler: new (options: { loader: string }) => {
    scanImports(text: string): { path: string }[];
  };
}
