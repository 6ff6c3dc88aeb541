-- The SASL side: one handler for a client's login, whose mechanisms (PLAIN, SASL-HMAC, X-TOKEN) all carry PLAIN's message
-- (RFC 4616): authzid NUL authcid NUL password. The three share one function, so one kind of check and preparation.
--
-- new{ host, check, report } returns handler_for(session, mechanisms).
--   check(user, password)   "yes", "no", "try-again" or "malformed"; may wait
--   report(outcome, condition, sasl)   told of every login that is not let in: "denied" or "undecided", the SASL
--                           condition; of the handler, `address`, `selected`, `username` and `failure` may be logged
--
-- What it adds to Prosody's own PLAIN:
--   * Could-not-decide is temporary-auth-failure, never not-authorized; so is an error in the check.
--   * A message of more or fewer than three parts, and an authzid that names somebody else, are refused unasked.
--
-- Prosody's table of mechanisms is global, so nothing is registered there: the handler runs the function itself.

local encodings = require "util.encodings"
local jid_prep = require "util.jid".prep
local sasl_new = require "util.sasl".new

local nodeprep = encodings.stringprep.nodeprep

local MESSAGE = "^([^%z]*)%z[^%z]+%z[^%z]+$"
local TRY_AGAIN_TEXT = "The login could not be checked. Please try again."
local AUTHZID_TEXT = "Nobody can log in as another user."

local plain
require "util.sasl.plain".init(function(_, _, mechanism) plain = mechanism end)

-- RFC 6120, 6.3.8: the authzid is the user's own bare JID, if it is there at all. Some clients send the name alone.
local function is_own_authzid(authzid, user, host)
    return authzid == "" or nodeprep(authzid) == user or jid_prep(authzid) == user .. "@" .. host
end

local function new(options)
    local host, check, report = options.host, options.check, options.report
    local handler_for

    -- Called by PLAIN with what saslprep and nodeprep made of the message. True alone lets the user in.
    local function plain_test(sasl, user, password)
        if is_own_authzid(sasl.authzid, user, host) then
            sasl.verdict = check(user, password)
        else
            sasl.verdict = "invalid-authzid"
        end
        return sasl.verdict == "yes", true
    end

    -- Runs the mechanism: status, condition and text, as mod_saslauth wants them.
    local function run(sasl, message)
        sasl.authzid = message and message:match(MESSAGE)
        if not sasl.authzid then
            return "failure", "malformed-request"
        end
        local status, condition, text = plain(sasl, message)
        if sasl.verdict == "try-again" then
            return "failure", "temporary-auth-failure", TRY_AGAIN_TEXT
        elseif sasl.verdict == "malformed" then
            return "failure", "malformed-request"
        elseif sasl.verdict == "invalid-authzid" then
            return "failure", "invalid-authzid", AUTHZID_TEXT
        end
        return status, condition, text
    end

    -- An error here would leave the client without any answer.
    local function process(sasl, message)
        sasl.address = sasl.session and sasl.session.ip -- a session that ends while it waits forgets it
        local ran, status, condition, text = pcall(run, sasl, message)
        if not ran then
            sasl.failure = status
            status, condition, text = "failure", "temporary-auth-failure", TRY_AGAIN_TEXT
        end
        if status ~= "success" then
            report(condition == "temporary-auth-failure" and "undecided" or "denied", condition, sasl)
        end
        return status, condition, text
    end

    local function clean_clone(sasl)
        return handler_for(sasl.session, sasl.mechs)
    end

    -- A handler for one attempt; `mechanisms` is a table with the names of those it offers as keys.
    function handler_for(session, mechanisms)
        local sasl = sasl_new(host, { plain_test = plain_test, mechanisms = mechanisms })
        sasl.session, sasl.process, sasl.clean_clone = session, process, clean_clone
        return sasl
    end

    return handler_for
end

return { new = new }
