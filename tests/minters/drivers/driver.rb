require_relative "mint"

STDIN.set_encoding("UTF-8")
STDIN.each_line(chomp: true) do |line|
  call, jid, seed, secret, step, nonce = line.split("\t")
  puts call == "mint" ? Minter.mint(jid) : Minter.token(jid, seed, secret, step.to_i, nonce)
end
