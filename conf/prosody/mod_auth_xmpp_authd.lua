-- Prosody's authentication provider that asks xmpp-authd through its Unix socket, and never blocks Prosody.
--
--     authentication = "xmpp_authd"
--
-- Settings, with their defaults (docs/prosody.md explains each):
--     xmpp_authd_socket = "/run/xmpp-authd/auth.sock"
--     xmpp_authd_timeout = 5                      seconds until a login gets temporary-auth-failure
--     xmpp_authd_connections = 4                  to the daemon
--     xmpp_authd_queue = 2000                     questions without an answer; more get temporary-auth-failure at once
--                                                 (half of it is for logins alone)
--     xmpp_authd_mechanisms = { "PLAIN", "SASL-HMAC", "X-TOKEN" }
--     xmpp_authd_allow_unencrypted = false        offer SASL-HMAC and X-TOKEN on unencrypted streams
--     xmpp_authd_user_yes_ttl = 300               seconds that the daemon's "this user exists" is believed
--     xmpp_authd_user_no_ttl = 10                 and its "no such user"
--
-- The parts are in auth_xmpp_authd/: wire (bytes), link (a socket), pool (connections and deadlines), users (who exists),
-- sasl (the mechanisms). This file is the settings, the provider and what the log says.
--
-- A token is only ever in three places: the handler of the login, the question until it is written, and the socket.

local async = require "util.async"
local monotonic = require "util.time".monotonic
local nodeprep = require "util.encodings".stringprep.nodeprep
local timer = require "util.timer"

local wire = module:require "wire"
local fifo = module:require "fifo"
local link = module:require "link"
local pools = module:require "pool"
local user_tables = module:require "users"
local sasl = module:require "sasl"

local OWN_MECHANISMS = { ["SASL-HMAC"] = true, ["X-TOKEN"] = true }
local USERS_KEPT = 10000

-- ---- settings -------------------------------------------------------------------------------------------------------

local function number_setting(name, default, least, most)
    local value = module:get_option_number(name, default)
    if not value or value < least or value > most then
        module:log("error", "%s must be a number from %g to %g; using %g", name, least, most, default)
        return default
    end
    return value
end

-- A set of mechanism names; those that this module can't offer are reported and left out.
local function mechanism_setting()
    local mechanisms = {}
    for name in module:get_option_set("xmpp_authd_mechanisms", { "PLAIN", "SASL-HMAC", "X-TOKEN" }) do
        if name == "PLAIN" or OWN_MECHANISMS[name] then
            mechanisms[name] = true
        else
            module:log("error", "xmpp_authd_mechanisms: %s is none of PLAIN, SASL-HMAC, X-TOKEN", name)
        end
    end
    return mechanisms
end

local socket_path = module:get_option_string("xmpp_authd_socket", "/run/xmpp-authd/auth.sock")
local mechanisms = mechanism_setting()
local plain_alone = { PLAIN = mechanisms.PLAIN }
local allow_unencrypted = module:get_option_boolean("xmpp_authd_allow_unencrypted", false)

-- ---- questions ------------------------------------------------------------------------------------------------------

-- Timers that outlive an unload: the questions on their way still have their deadlines.
local function after(seconds, run)
    timer.add_task(seconds, function() run() end)
end

local queue = number_setting("xmpp_authd_queue", 2000, 1, 100000)

local pool = pools.new({
    connect = function(events) return link.connect(socket_path, events) end,
    now = monotonic,
    after = after,
    log = function(level, ...) module:log(level, ...) end,
    timeout = number_setting("xmpp_authd_timeout", 5, 0.1, 60),
    connections = number_setting("xmpp_authd_connections", 4, 1, 64),
    limit = queue,
    wire = wire,
    fifo = fifo,
})

-- Waiting means to yield to Prosody's loop. Outside an async context that is an error, which would leave ghosts behind.
local function can_wait()
    return async.ready() and coroutine.isyieldable()
end

-- Calls start(answered) and waits until answered(result) is called; returns the result.
local function wait_for(start)
    local wait, done = async.waiter()
    local result
    start(function(answer)
        result = answer
        done()
    end)
    wait()
    return result
end

-- Whether `token` logs `user` in: "yes", "no", "try-again", or "malformed" where there is nothing to ask. The daemon is
-- asked about exactly the name that the session will have, which Prosody prepares once more.
local function check(user, token)
    local question = nodeprep(user) == user and wire.auth(user, module.host, token)
    if not question then
        return "malformed"
    elseif not can_wait() then
        return wire.TRY_AGAIN
    end
    return wait_for(function(answered) pool:ask(question, answered) end)
end

local users = user_tables.new({
    ask = function(user, answered)
        local question = wire.isuser(user, module.host)
        if not question then
            return answered(wire.NO)
        elseif pool.unanswered >= queue / 2 then -- whoever names many users must not keep others from logging in
            return answered(wire.TRY_AGAIN)
        end
        pool:ask(question, answered)
    end,
    now = monotonic,
    yes_seconds = number_setting("xmpp_authd_user_yes_ttl", 300, 1, 86400),
    no_seconds = number_setting("xmpp_authd_user_no_ttl", 10, 1, 3600),
    capacity = USERS_KEPT,
})

-- ---- the log --------------------------------------------------------------------------------------------------------

-- One line for each login that is not let in. The address comes first and what the client chose comes last, so that no
-- client can forge an address; a name that was prepared holds no space and no control character.
local function report(outcome, condition, handler)
    local address = handler.address or "unknown"
    local who = (handler.username or "nobody") .. "@" .. module.host
    if handler.failure then
        module:log("error", "the check of a login failed: %s", handler.failure)
    end
    if outcome == "undecided" then
        module:log("warn", "login undecided from %s: try again (%s) %s", address, handler.selected, who)
    else
        module:log("info", "login denied from %s: %s (%s) %s", address, condition, handler.selected, who)
    end
end

-- ---- the provider ---------------------------------------------------------------------------------------------------

local handler_for = sasl.new({ host = module.host, check = check, report = report })

local NOT_HERE = "Users and tokens are the web application's; Prosody can't change them."
local provider = {}

function provider.get_sasl_handler(session)
    local encrypted = session and session.secure
    return handler_for(session, (encrypted or allow_unencrypted) and mechanisms or plain_alone)
end

-- For other modules that check a password. Each call spends the token.
function provider.test_password(user, token)
    local verdict = check(user, token)
    if verdict == wire.YES then
        return true
    end
    return nil, verdict == wire.TRY_AGAIN and "The password could not be checked." or "Wrong password."
end

function provider.user_exists(user)
    if not user then
        return false
    end
    local exists, sure = users:known(user)
    if sure then
        return exists
    elseif can_wait() then
        return wait_for(function(told) users:refresh(user, told) end)
    end
    users:refresh(user)
    return exists
end

-- Nobody knows them all.
function provider.users()
    return function() end
end

function provider.get_password() return nil, NOT_HERE end
function provider.set_password() return nil, NOT_HERE end
function provider.create_user() return nil, NOT_HERE end
function provider.delete_user() return nil, NOT_HERE end

-- Questions on their way are still answered; nothing new is asked.
function module.unload()
    pool:close()
end

module:hook_global("server-stopping", function() pool:close() end)

module:provides("auth", provider)
