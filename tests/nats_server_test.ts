// The server that a program starts for itself.
import process from "node:process";
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
