import { createInterface } from "node:readline";
import { mint, token } from "./mint.mjs";

for await (const line of createInterface({ input: process.stdin })) {
  const [call, jid, seed, secret, step, nonce] = line.split("\t");
  console.log(call === "mint" ? mint(jid) : token(jid, seed, secret, Number(step), nonce));
}
