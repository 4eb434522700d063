import { contract } from "./contract.ts";

contract("web");
contract("threads");
contract("inline");
