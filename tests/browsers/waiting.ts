// The tests of a page, which runs them in turn (report.ts).

/** A test. */
export interface Waiting {
  name: string;
  fn: () => void | Promise<void>;
  ignore?: boolean;
  timeout?: number;
}

/** Those of this page. */
export const waiting: Waiting[] = [];
