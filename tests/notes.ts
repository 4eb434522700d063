// A folder in which workers that share no memory can leave notes.
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pause } from "./until.ts";

/** A folder, where the caller and its workers see what the others write. */
export class Notes implements AsyncDisposable {
  readonly path = mkdtempSync(join(realpathSync(tmpdir()), "parallel-map-"));

  write(name: string): void {
    writeFileSync(join(this.path, name), "");
  }

  get names(): string[] {
    return readdirSync(this.path).toSorted();
  }

  async until(name: string): Promise<void> {
    while (!existsSync(join(this.path, name))) await pause(5);
  }

  [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.path, { recursive: true });
    return Promise.resolve();
  }
}
