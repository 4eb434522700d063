// Stands in for node:process where there is none: a worker in a browser ends as
// soon as what runs has ended.
export default {
  exit: (): void => (globalThis as unknown as { close(): void }).close(),
};
