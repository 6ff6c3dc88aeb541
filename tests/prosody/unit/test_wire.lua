-- The bytes of questions and answers.

local tools = ...
local wire = tools.load("wire")
local equal = tools.equal

local tests = {}

local FRAMES = {
    { name = "a login", got = wire.auth("alice", "example.org", "secret"), wanted = "\0\29auth:alice:example.org:secret" },
    { name = "separators in the password", got = wire.auth("a", "h", "p:q@r/s t"), wanted = "\0\18auth:a:h:p:q@r/s t" },
    { name = "a question about a user", got = wire.isuser("alice", "a.org"), wanted = "\0\18isuser:alice:a.org" },
    { name = "a name beyond ASCII", got = wire.isuser("stra\u{e9}e", "h"), wanted = "\0\16isuser:stra\u{e9}e:h" },
    { name = "the greeting", got = wire.HELLO, wanted = "\0\17features:tryagain" },
}

tests["questions are framed by their length in two bytes"] = function()
    for _, row in ipairs(FRAMES) do
        equal(row.got, row.wanted, row.name)
    end
end

local REFUSED = {
    { name = "an empty user", user = "" },
    { name = "an empty host", host = "" },
    { name = "an empty password", password = "" },
    { name = "LF in the user", user = "a\nauth:mallory" },
    { name = "NUL in the user", user = "a\0b" },
    { name = "a colon in the user", user = "a:b" },
    { name = "an at sign in the user", user = "a@b" },
    { name = "a slash in the user", user = "a/b" },
    { name = "a space in the user", user = "a b" },
    { name = "DEL in the user", user = "a\127" },
    { name = "CR in the host", host = "h\r" },
    { name = "a colon in the host", host = "h:1" },
    { name = "LF in the password", password = "p\nauth:mallory:h:p" },
    { name = "NUL in the password", password = "p\0" },
    { name = "TAB in the password", password = "p\t" },
    { name = "one byte too many", password = ("p"):rep(8191 - #"auth:a:h:" + 1) },
    { name = "what would wrap the length round", password = ("p"):rep(65536) },
}

tests["what can't be asked about is refused, not repaired"] = function()
    for _, row in ipairs(REFUSED) do
        equal(wire.auth(row.user or "a", row.host or "h", row.password or "p"), nil, row.name)
        if not row.password then
            equal(wire.isuser(row.user or "a", row.host or "h"), nil, row.name .. ", isuser")
        end
    end
end

tests["the longest question is 8191 bytes"] = function()
    local question = wire.auth("a", "h", ("p"):rep(8191 - #"auth:a:h:"))
    equal(#question, 2 + 8191, "bytes")
    equal(question:sub(1, 2), "\31\255", "length")
end

local ANSWERS = {
    { name = "nothing yet", bytes = "", rest = "" },
    { name = "one byte", bytes = "\0", rest = "\0" },
    { name = "three bytes", bytes = "\0\2\0", rest = "\0\2\0" },
    { name = "yes", bytes = "\0\2\0\1", answer = "yes", rest = "" },
    { name = "no", bytes = "\0\2\0\0", answer = "no", rest = "" },
    { name = "try again", bytes = "\0\2\0\2", answer = "try-again", rest = "" },
    { name = "two at once", bytes = "\0\2\0\0\0\2\0\1", answer = "no", rest = "\0\2\0\1" },
    { name = "a fourth answer", bytes = "\0\2\0\3", answer = false, rest = "" },
    { name = "a yes in the high byte", bytes = "\0\2\1\0", answer = false, rest = "" },
    { name = "another length", bytes = "\0\3\0\1\0", answer = false, rest = "\0" },
    { name = "the start of another length", bytes = "\0\3", answer = false, rest = "" },
    { name = "half a line", bytes = "1", answer = false, rest = "" },
    { name = "text", bytes = "1\n1\n", answer = false, rest = "" },
}

tests["only the three answers are answers"] = function()
    for _, row in ipairs(ANSWERS) do
        local answer, rest = wire.answer(row.bytes)
        equal(answer, row.answer, row.name)
        equal(rest, row.rest, row.name .. ", the rest")
    end
end

return tests
