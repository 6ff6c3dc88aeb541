-- The SASL handler, with stand-ins for the few things of Prosody that it uses: what a client is told for each outcome.

local tools = ...
local equal = tools.equal

local preload = {
    ["util.encodings"] = { stringprep = { nodeprep = string.lower } },
    ["util.jid"] = { prep = string.lower },
    ["util.sasl"] = { new = function(realm, profile)
        return { realm = realm, profile = profile, mechs = profile.mechanisms }
    end },
    ["util.sasl.plain"] = { init = function(register)
        register("PLAIN", {}, function(sasl, message)
            local user, password = message:match("%z(.-)%z(.*)$")
            sasl.username = user:lower()
            if sasl.profile.plain_test(sasl, sasl.username, password) then
                return "success"
            end
            return "failure", "not-authorized"
        end)
    end },
}
for name, part in pairs(preload) do
    package.preload[name] = function() return part end
end
local sasl = tools.load("sasl")

local tests = {}

-- A login as `alice` to a host where check() does this; what the client is told and what was reported.
local function login(check, message)
    local reported = {}
    local handler_for = sasl.new({
        host = "example.org",
        check = check,
        report = function(outcome, condition, handler)
            table.insert(reported, { outcome = outcome, condition = condition, handler = handler })
        end,
    })
    local handler = handler_for({ ip = "192.0.2.7" }, { PLAIN = true })
    local status, condition = handler:process(message or "\0alice\0token")
    return status, condition, reported, handler
end

local OUTCOMES = {
    { verdict = "yes", status = "success" },
    { verdict = "no", status = "failure", condition = "not-authorized", outcome = "denied" },
    { verdict = "try-again", status = "failure", condition = "temporary-auth-failure", outcome = "undecided" },
    { verdict = "malformed", status = "failure", condition = "malformed-request", outcome = "denied" },
    { verdict = "anything else", status = "failure", condition = "not-authorized", outcome = "denied" },
    { verdict = nil, status = "failure", condition = "not-authorized", outcome = "denied" },
    { verdict = true, status = "failure", condition = "not-authorized", outcome = "denied" },
}

tests["yes alone lets in"] = function()
    for _, row in ipairs(OUTCOMES) do
        local name = "for " .. tostring(row.verdict)
        local status, condition, reported = login(function() return row.verdict end)
        equal(status, row.status, name)
        equal(condition, row.condition, name)
        equal(reported[1] and reported[1].outcome, row.outcome, name)
        equal(#reported, row.outcome and 1 or 0, name)
    end
end

tests["an error in the check is could-not-decide, and the client is told"] = function()
    local status, condition, reported = login(function() error("broken", 0) end)
    equal(status, "failure")
    equal(condition, "temporary-auth-failure")
    equal(reported[1].outcome, "undecided")
    equal(reported[1].handler.failure, "broken")
end

tests["what is asked about is what was prepared"] = function()
    local asked
    login(function(user, password) asked = user .. " " .. password; return "yes" end, "\0ALICE\0Token")
    equal(asked, "alice Token")
end

tests["nothing is asked for another's authzid or a broken message"] = function()
    local function never() error("asked") end
    equal(select(2, login(never, "bob\0alice\0token")), "invalid-authzid")
    equal(select(2, login(never, "bob@example.org\0alice\0token")), "invalid-authzid")
    equal(select(2, login(never, "alice\0token")), "malformed-request")
    equal(select(2, login(never, "\0alice\0token\0more")), "malformed-request")
end

tests["the address is that of the session, though it ends meanwhile"] = function()
    local session = { ip = "192.0.2.8" }
    local address
    local handler = sasl.new({
        host = "example.org",
        check = function() session.ip = nil; return "no" end,
        report = function(_, _, told) address = told.address end,
    })(session, { PLAIN = true })
    handler:process("\0alice\0token")
    equal(address, "192.0.2.8")
end

tests["a clone starts afresh, for the same session and with the same mechanisms"] = function()
    local _, _, _, handler = login(function() return "no" end)
    local clone = handler:clean_clone()
    equal(clone.session, handler.session)
    equal(clone.mechs, handler.mechs)
    equal(clone.username, nil)
    equal(clone.verdict, nil)
end

return tests
