/**
 * How a worker of Deno says that a task ends it, before it does.
 *
 * @module
 */

/**
 * Hears of `Deno.exit`, which `process.exit` calls, and of `close`. In a Web
 * Worker of Deno 2.9.5 these may return, and other tasks run before it ends. A
 * thread goes round in a loop after `process.exit` until it is ended, and
 * sometimes nobody does so: half the times that a task exits after one has thrown,
 * while a timer is due. To touch `process` here would cost the start of each Web
 * Worker 11 ms, as Deno makes it when it is first asked for. Self-contained.
 *
 * @param listener Told the exit code, if there is one.
 */
export function hearEnds(listener: (code: number | undefined) => void): void {
  const scope = globalThis as unknown as {
    Deno?: { exitCode: number; exit(code?: number): void };
    close?(): void;
  };
  const { Deno } = scope;
  if (Deno === undefined || scope.close === undefined) return; // or it is a shim
  const close = scope.close.bind(scope);
  scope.close = () => {
    listener(undefined);
    close();
  };
  const exit = Deno.exit.bind(Deno);
  Deno.exit = (code = Deno.exitCode) => {
    listener(code);
    exit(code);
  };
}
