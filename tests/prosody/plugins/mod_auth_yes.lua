-- For measuring only: an authentication provider that lets everybody in without asking anybody.

local sasl_new = require "util.sasl".new

local provider = {}

function provider.get_sasl_handler()
    return sasl_new(module.host, { plain_test = function() return true, true end })
end

function provider.user_exists() return true end
function provider.users() return function() end end

module:provides("auth", provider)
