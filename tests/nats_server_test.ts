// The server that a program starts for itself.
import { assert, assertMatch, assertRejects } from "@std/assert";
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { startServer } from "../src/nats/server.ts";
import { isAlive, natsTest as test, startProgram } from "./nats.ts";
import { until } from "./until.ts";

for (const how of ["throws", "is killed"]) {
  test(
    `a server of one's own ends with a program that ${how}`,
    async () => {
      const path = "tests/fixtures/nats_local.ts";
      const program = startProgram(path, [how === "throws" ? how : "stays"]);
      await until(() => program.over() || program.said().includes("."));
      const pid = Number(/server (\d+)\./.exec(program.said())?.[1]);
      try {
        if (how === "is killed") await program.kill();
        await program.ended;
        await until(() => !isAlive(pid));
      } finally {
        if (isAlive(pid)) process.kill(pid, "SIGKILL");
      }
    },
  );
}

test("no other user reads what lets a program into its server", async () => {
  const server = await startServer();
  try {
    const { token } = server.connection;
    const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" });
    assert(stdout.includes(server.folder));
    assert(token !== undefined && !stdout.includes(token));
    for (const name of ["", ...readdirSync(server.folder)]) {
      if (!name || name.endsWith(".conf")) {
        const { mode } = statSync(join(server.folder, name));
        assert((mode & 0o077) === 0, `${name}: ${mode.toString(8)}`);
      }
    }
  } finally {
    await server.close();
  }
});

test("a server that does not begin is told at once, with its last words", async () => {
  const args = ["-c", "no-such-file.conf"];
  const error = await assertRejects(() => startServer({ args }), Error);
  assertMatch(error.message, /must begin: received its end, after ".*no such/);
});
