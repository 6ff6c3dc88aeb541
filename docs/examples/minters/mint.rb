# Mints login tokens for a chat client, with Ruby 2.6 or later and its standard library alone.
require "openssl"
require "securerandom"

module Minter
  # The token of a time step and a nonce of 32 digits. Only the same values twice give the same token.
  def self.token(jid, otp_seed, token_secret, step, nonce)
    letters = otp_seed.upcase.delete("=").chars
    bits = letters.map { |letter| ("A".."Z").chain("2".."7").find_index(letter).to_s(2).rjust(5, "0") }.join
    seed = [bits[0, bits.size / 8 * 8]].pack("B*")
    mac = OpenSSL::HMAC.digest("SHA1", seed, [step].pack("Q>"))
    number = mac[mac.getbyte(-1) & 15, 4].unpack1("N") & 0x7fffffff
    digits = format("%08d", number % 10**8) + nonce
    digits + " " + [OpenSSL::HMAC.digest("SHA256", token_secret, digits + jid)].pack("m0")
  end

  # A fresh token for user@host, in lower case; the secrets come from the environment.
  def self.mint(jid)
    nonce = format("%032d", SecureRandom.random_number(10**32))
    token(jid, ENV.fetch("XMPP_OTP_SEED"), ENV.fetch("XMPP_TOKEN_SECRET"), Time.now.to_i / 30, nonce)
  end
end
