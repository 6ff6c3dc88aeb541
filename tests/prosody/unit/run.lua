-- Runs the unit tests of the Prosody module's parts with a bare Lua, without Prosody:
--
--     lua5.4 tests/prosody/unit/run.lua
--
-- Each test_*.lua beside it returns a table of { name = function }; a test fails by an error. Prints the failures and a
-- sum; exits 1 if one failed.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local parts = here .. "/../../../conf/prosody/auth_xmpp_authd/"

local FILES = { "test_wire", "test_fifo", "test_pool", "test_users", "test_sasl" }

-- What the tests get: load(part) for a part of the module and equal().
local tools = {}

function tools.load(part)
    return dofile(parts .. part .. ".lib.lua")
end

function tools.equal(got, wanted, what)
    if got ~= wanted then
        error(("%s: got %q, wanted %q"):format(what or "value", tostring(got), tostring(wanted)), 2)
    end
end

local failures, count = 0, 0
for _, file in ipairs(FILES) do
    local tests = assert(loadfile(here .. "/" .. file .. ".lua"))(tools)
    local names = {}
    for name in pairs(tests) do
        table.insert(names, name)
    end
    table.sort(names)
    for _, name in ipairs(names) do
        count = count + 1
        local passed, failure = xpcall(tests[name], debug.traceback)
        if not passed then
            failures = failures + 1
            print(("FAILED %s: %s\n%s"):format(file, name, failure))
        end
    end
end
print(("%d tests, %d failed"):format(count, failures))
os.exit(failures == 0 and count > 0)
