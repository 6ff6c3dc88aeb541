-- Questions to bytes and bytes to answers: xmpp-authd's length-framed protocol. Pure: no socket, no clock, no log.
--
--   request   2 bytes length, big-endian, then `auth:USER:HOST:PASSWORD`, `isuser:USER:HOST` or `features:tryagain`
--   answer    00 02 00 01 yes, 00 02 00 00 no, 00 02 00 02 could not decide (only after `features:tryagain`)
--
-- Answers carry no request id: they come in the order of the questions.

local LONGEST_REQUEST = 8191
local ANSWER_BYTES = 4
local ANSWER_START = "\0\2\0"
local ANSWERS = {
    ["\0\2\0\1"] = "yes",
    ["\0\2\0\0"] = "no",
    ["\0\2\0\2"] = "try-again",
}

local wire = { YES = "yes", NO = "no", TRY_AGAIN = "try-again" }

local function frame(text)
    local length = #text
    return string.char(length // 256, length % 256) .. text
end

-- Control bytes mean nothing inside a length frame, but no name or token has any, and what the daemon logs or passes on
-- should never depend on that.
local function is_clean(field)
    return field ~= "" and not field:find("[%z\1-\31\127]")
end

local function is_name(field)
    return is_clean(field) and not field:find("[:@/ ]")
end

local function request(...)
    local text = table.concat({ ... }, ":")
    return #text <= LONGEST_REQUEST and frame(text) or nil
end

-- The first request on a connection. Answered yes by a daemon that will say "try-again" where it can't decide.
wire.HELLO = frame("features:tryagain")

-- The bytes that ask whether `password` logs `user` in on `host`; nil where that can't be asked: an empty field, a control
-- byte, a separator in a name, or too long. All three are strings.
function wire.auth(user, host, password)
    return is_name(user) and is_name(host) and is_clean(password) and request("auth", user, host, password) or nil
end

-- The bytes that ask whether `user` exists on `host`; nil as above.
function wire.isuser(user, host)
    return is_name(user) and is_name(host) and request("isuser", user, host) or nil
end

-- The first answer in `bytes`, and the bytes after it. The answer is nil while it is not complete, and false where it is
-- none of the three: then nothing that follows on the connection can be trusted.
function wire.answer(bytes)
    if #bytes < ANSWER_BYTES and bytes == ANSWER_START:sub(1, #bytes) then
        return nil, bytes
    end
    return ANSWERS[bytes:sub(1, ANSWER_BYTES)] or false, bytes:sub(ANSWER_BYTES + 1)
end

return wire
