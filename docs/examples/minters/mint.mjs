// Mints login tokens for a chat client, with Node.js 14 or later and no package.
import { createHmac, randomInt } from "node:crypto";

/** The token of a time step and a nonce of 32 digits. Only the same values twice give the same token. */
export function token(jid, otpSeed, tokenSecret, step, nonce) {
  const letters = [...otpSeed.toUpperCase().replace(/=+$/, "")];
  const bits = letters.map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  const seed = Buffer.from(bits.join("").match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", seed).update(counter).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  const digits = String(number % 1e8).padStart(8, "0") + nonce;
  return digits + " " + createHmac("sha256", tokenSecret).update(digits + jid).digest("base64");
}

/** A fresh token for user@host, in lower case; the secrets come from the environment. */
export function mint(jid) {
  const { XMPP_OTP_SEED: otpSeed, XMPP_TOKEN_SECRET: tokenSecret } = process.env;
  if (!tokenSecret || !/^[a-z2-7]+=*$/i.test(otpSeed ?? "")) {
    throw new Error("XMPP_OTP_SEED and XMPP_TOKEN_SECRET are not set as they should be");
  }
  const nonce = Array.from({ length: 32 }, () => randomInt(10)).join("");
  return token(jid, otpSeed, tokenSecret, Math.floor(Date.now() / 30000), nonce);
}
