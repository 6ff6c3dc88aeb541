-- For measuring only: how long the authentication provider takes from getting a client's message to its verdict. Writes the
-- seconds, one a line, to answer-times in the data directory when Prosody stops.

local monotonic = require "util.time".monotonic

local provider = prosody.hosts[module.host].users
local get_sasl_handler = provider.get_sasl_handler
local times = {}

function provider.get_sasl_handler(session)
    local handler = get_sasl_handler(session)
    local process = handler.process
    function handler.process(...)
        local began = monotonic()
        local status, condition, text = process(...)
        table.insert(times, ("%.9f"):format(monotonic() - began))
        return status, condition, text
    end
    return handler
end

module:hook_global("server-stopping", function()
    local file = assert(io.open(prosody.paths.data .. "/answer-times", "w"))
    file:write(table.concat(times, "\n"), "\n")
    file:close()
end)
