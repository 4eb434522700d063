// A file of its own: with the others it would take longest of all.
import { contract } from "./contract.ts";

contract("processes");
