-- Who exists: what is believed, for how long, and what happens when the daemon can't say.

local tools = ...
local Users = tools.load("users")
local equal = tools.equal

local tests = {}

-- A table of users with a clock and a daemon that the test moves by hand.
local function world(options)
    local it = { clock = 1000, answers = {}, questions = {} }
    it.users = Users.new({
        now = function() return it.clock end,
        yes_seconds = 300,
        no_seconds = 10,
        capacity = options and options.capacity or 100,
        ask = function(name, answered)
            table.insert(it.questions, name)
            if it.holding then
                it.held = answered
            else
                answered(it.answers[name] or "try-again")
            end
        end,
    })
    function it.expect(name, exists, sure)
        local got_exists, got_sure = it.users:known(name)
        equal(got_exists, exists, name .. " exists")
        equal(got_sure, sure, name .. " is sure")
    end
    return it
end

tests["a name never heard of counts as existing, but is asked about"] = function()
    world().expect("alice", true, false)
end

tests["a yes is believed for minutes"] = function()
    local it = world()
    it.answers.alice = "yes"
    it.users:refresh("alice")
    it.clock = it.clock + 299
    it.expect("alice", true, true)
    it.clock = it.clock + 1
    it.expect("alice", true, false)
end

tests["a no is believed for seconds"] = function()
    local it = world()
    it.answers.bob = "no"
    it.users:refresh("bob")
    it.clock = it.clock + 9
    it.expect("bob", false, true)
    it.clock = it.clock + 1
    it.expect("bob", false, false)
end

tests["the last known answer holds while the daemon can't say"] = function()
    for answer, exists in pairs({ yes = true, no = false }) do
        local it = world()
        it.answers.alice = answer
        it.users:refresh("alice")
        it.answers.alice = nil
        it.clock = it.clock + 5000
        local told
        it.users:refresh("alice", function(got) told = got end)
        equal(told, exists, "told after a stale " .. answer)
        it.expect("alice", exists, true)
        it.clock = it.clock + 10
        it.expect("alice", exists, false)
    end
end

tests["a name never heard of bounces no mail while the daemon can't say"] = function()
    local it = world()
    local told
    it.users:refresh("alice", function(got) told = got end)
    equal(told, true)
    it.expect("alice", true, true)
    it.clock = it.clock + 10
    it.answers.alice = "no"
    it.users:refresh("alice")
    it.expect("alice", false, true)
end

tests["one question serves all who wait for it"] = function()
    local it = world()
    it.holding = true
    local told = {}
    for waiter = 1, 3 do
        it.users:refresh("alice", function(exists) told[waiter] = exists end)
    end
    it.users:refresh("alice")
    equal(#it.questions, 1, "questions")
    it.held("no")
    for waiter = 1, 3 do
        equal(told[waiter], false, "waiter " .. waiter)
    end
    it.holding = false
    it.users:refresh("alice")
    equal(#it.questions, 2, "questions afterwards")
end

tests["no more than `capacity` names are kept, and those in use stay"] = function()
    local it = world({ capacity = 10 })
    it.answers.alice = "yes"
    it.users:refresh("alice")
    for number = 1, 1000 do
        it.answers["user" .. number] = "no"
        it.users:refresh("user" .. number)
        it.expect("alice", true, true)
    end
    local kept = 0
    for _, generation in ipairs({ it.users.younger, it.users.older }) do
        for _ in pairs(generation) do
            kept = kept + 1
        end
    end
    assert(kept <= 10, "kept " .. kept)
    it.expect("user1", true, false)
end

return tests
