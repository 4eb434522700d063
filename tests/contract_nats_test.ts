// A file of its own, as it needs a server.
import { contract } from "./contract.ts";
import { natsEngine } from "./nats_calls.ts";

contract("nats", natsEngine);
