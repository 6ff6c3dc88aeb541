-- The pool of connections: who gets which answer, whatever the daemon does. Connections, clock and timers are the test's.

local tools = ...
local wire, fifo, pools = tools.load("wire"), tools.load("fifo"), tools.load("pool")
local equal = tools.equal

local YES, NO, AGAIN = "\0\2\0\1", "\0\2\0\0", "\0\2\0\2"

local tests = {}

-- ---- a daemon and a clock that the test moves by hand ----------------------------------------------------------------

local World = {}
World.__index = World

local function world(options)
    local it = setmetatable({ clock = 1000, timers = {}, links = {}, answers = {}, log = {}, up = true }, World)
    options = options or {}
    it.greets = options.greets == nil and true or options.greets
    it.pool = pools.new({
        connect = function(events) return it:connect(events) end,
        now = function() return it.clock end,
        after = function(seconds, run) table.insert(it.timers, { at = it.clock + seconds, run = run }) end,
        log = function(level, format, ...) table.insert(it.log, level .. " " .. format:format(...)) end,
        timeout = 5,
        connections = options.connections or 4,
        limit = options.limit or 100,
        wire = wire,
        fifo = fifo,
    })
    return it
end

-- A link that notes what was written. At the next turn() the loop sees it, and the hello is answered.
function World:connect(events)
    if not self.up then
        return nil, "connection refused"
    end
    local link = { events = events, written = {}, open = true, refuses = false }
    function link.send(bytes)
        assert(link.open, "a write to a closed link")
        if link.refuses then
            return "refused"
        end
        if bytes ~= wire.HELLO then
            table.insert(link.written, bytes)
        end
        return link.full and "held" or "sent"
    end
    function link.close() link.open = false end
    table.insert(self.links, link)
    return link
end

-- One turn of the event loop.
function World:turn()
    for _, link in ipairs(self.links) do
        if link.open and not link.seen then
            link.seen = true
            link.events.opened()
        end
        if self.greets and link.open and not link.greeted then
            link.greeted = true
            link.events.bytes(YES)
        end
    end
end

-- Lets time pass, timers included.
function World:pass(seconds)
    local target = self.clock + seconds
    while true do
        local first
        for position, timer in ipairs(self.timers) do
            if timer.at <= target and (not first or timer.at < self.timers[first].at) then
                first = position
            end
        end
        if not first then
            break
        end
        local timer = table.remove(self.timers, first)
        self.clock = math.max(self.clock, timer.at)
        timer.run()
        self:turn()
    end
    self.clock = target
end

-- Asks a question called `name`; its answers are counted.
function World:ask(name)
    self.answers[name] = {}
    self.pool:ask("question " .. name, function(verdict) table.insert(self.answers[name], verdict) end)
end

function World:expect(name, verdict)
    equal(#self.answers[name], verdict and 1 or 0, "answers to " .. name)
    equal(self.answers[name][1], verdict, name)
end

function World:open_links()
    local open = {}
    for _, link in ipairs(self.links) do
        if link.open then
            table.insert(open, link)
        end
    end
    return open
end

function World:holder(name)
    for _, link in ipairs(self.links) do
        for _, bytes in ipairs(link.written) do
            if bytes == "question " .. name then
                return link
            end
        end
    end
end

local function ready_world(options)
    local it = world(options)
    it:ask("first")
    it:turn()
    it:holder("first").events.bytes(YES)
    it:expect("first", "yes")
    return it
end

-- ---- questions and answers ------------------------------------------------------------------------------------------

tests["nothing is opened before the first question"] = function()
    equal(#world().links, 0)
end

tests["no question is written before the daemon has greeted back"] = function()
    local it = world({ greets = false })
    it:ask("alice")
    it:turn()
    equal(#it.links, 4, "links")
    for _, link in ipairs(it.links) do
        equal(#link.written, 0, "written")
    end
    it.links[3].events.bytes(YES)
    equal(it:holder("alice"), it.links[3])
end

tests["answers are matched in order"] = function()
    local it = ready_world({ connections = 1 })
    for _, name in ipairs({ "a", "b", "c", "d" }) do
        it:ask(name)
    end
    it.links[1].events.bytes(YES .. NO:sub(1, 3))
    it:expect("a", "yes")
    it:expect("b", nil)
    it.links[1].events.bytes(NO:sub(4) .. AGAIN .. YES)
    it:expect("b", "no")
    it:expect("c", "try-again")
    it:expect("d", "yes")
end

tests["the connection with the fewest questions is asked"] = function()
    local it = ready_world()
    for number = 1, 8 do
        it:ask("q" .. number)
    end
    for _, link in ipairs(it.links) do
        equal(#link.written - (link == it:holder("first") and 1 or 0), 2, "questions on a link")
    end
    it.links[3].events.bytes(YES)
    it:ask("next")
    equal(it:holder("next"), it.links[3])
end

tests["the limit counts every question without an answer"] = function()
    local it = world({ limit = 3 })
    it:ask("a")
    it:ask("b")
    it:turn()
    it:ask("c")
    it:ask("d")
    it:expect("d", "try-again")
    it:holder("a").events.bytes(YES)
    it:ask("e")
    it:expect("e", nil)
end

tests["greetings on their way do not count"] = function()
    local it = world({ limit = 3, greets = false })
    for _, name in ipairs({ "a", "b", "c", "d" }) do
        it:ask(name)
        it:turn()
    end
    it:expect("c", nil)
    it:expect("d", "try-again")
end

tests["a question that was written forgets its bytes, for they hold a token"] = function()
    local it = ready_world()
    it:ask("a")
    local asked = 0
    for _, connection in ipairs(it.pool.open) do
        local question = connection.asked:peek()
        if question then
            asked = asked + 1
            equal(question.bytes, nil)
        end
    end
    equal(asked, 1)
end

tests["a question asked from within an answer is in its turn"] = function()
    local it = ready_world({ connections = 1 })
    it.pool:ask("question outer", function() it:ask("inner") end)
    it:ask("other")
    it.links[1].events.bytes(YES .. NO)
    it:expect("other", "no")
    it:expect("inner", nil)
    it.links[1].events.bytes(YES)
    it:expect("inner", "yes")
end

tests["an error in whoever was told does not shift the answers"] = function()
    local it = ready_world({ connections = 1 })
    it.pool:ask("question broken", function() error("broken") end)
    it:ask("other")
    equal(pcall(it.links[1].events.bytes, YES .. NO), false)
    it.links[1].events.bytes("")
    it:expect("other", "no")
end

-- ---- a daemon that misbehaves ---------------------------------------------------------------------------------------

tests["a late answer is nobody's"] = function()
    local it = ready_world({ connections = 1 })
    it:ask("victim")
    it:pass(5)
    it:expect("victim", "try-again")
    equal(it.links[1].open, false, "the link is open")
    it:ask("next")
    it:turn()
    it.links[1].events.bytes(YES)
    it:expect("next", nil)
    it.links[2].events.bytes(NO)
    it:expect("next", "no")
end

tests["every question on a connection shares its fate, and no other"] = function()
    local it = ready_world({ connections = 2 })
    for _, name in ipairs({ "a", "b" }) do
        it:ask(name)
    end
    it:pass(3)
    for _, name in ipairs({ "c", "d" }) do
        it:ask(name)
    end
    it:holder("b").events.bytes(YES)
    it:pass(2)
    it:expect("a", "try-again")
    it:expect("b", "yes")
    local with_a = it:holder("a")
    for _, name in ipairs({ "c", "d" }) do
        it:expect(name, it:holder(name) == with_a and "try-again" or nil)
    end
    it:pass(3)
    it:expect("c", "try-again")
    it:expect("d", "try-again")
end

tests["an answer that is none makes the connection untrusted"] = function()
    for _, garbage in ipairs({ "\0\2\0\3", "1\n\0\0", "\0\0\0\0", ("x"):rep(100) }) do
        local it = ready_world({ connections = 1 })
        it:ask("a")
        it:ask("b")
        it.links[1].events.bytes(YES .. garbage .. YES)
        it:expect("a", "yes")
        it:expect("b", "try-again")
        equal(it.links[1].open, false, "the link is open")
    end
end

tests["what nobody asked for makes the connection untrusted"] = function()
    for _, bytes in ipairs({ YES, "\0" }) do
        local it = ready_world({ connections = 1 })
        it.links[1].events.bytes(bytes)
        equal(it.links[1].open, false, "the link is open")
        it:ask("next")
        it:turn()
        it:expect("next", nil)
        it.links[2].events.bytes(NO)
        it:expect("next", "no")
    end
end

tests["a peer that speaks first is not asked"] = function()
    local it = world({ connections = 1 })
    it:ask("a")
    it.links[1].events.bytes(YES)
    equal(it.links[1].open, false, "the link is open")
    equal(#it.links[1].written, 0, "written")
end

tests["one answer too many is not kept for the next question"] = function()
    local it = ready_world({ connections = 1 })
    it:ask("a")
    it.links[1].events.bytes(YES .. YES)
    it:expect("a", "yes")
    equal(it.links[1].open, false, "the link is open")
end

tests["a peer that does not know features:tryagain is not asked"] = function()
    for _, greeting in ipairs({ NO, AGAIN, "1\n\0\0" }) do
        local it = world({ greets = false, connections = 1 })
        it:ask("a")
        it:turn()
        it.links[1].events.bytes(greeting)
        equal(it.links[1].open, false, "the link is open")
        it:expect("a", nil)
        it:pass(6)
        it:expect("a", "try-again")
        for _, link in ipairs(it.links) do
            equal(#link.written, 0, "written")
        end
    end
end

tests["a daemon that accepts but says nothing costs each question its own time and no more"] = function()
    local it = world({ greets = false })
    it:ask("a")
    it:turn()
    it:pass(2)
    it:ask("b")
    it:pass(3)
    it:expect("a", "try-again")
    it:pass(2)
    it:expect("b", "try-again")
end

-- ---- a daemon that goes and comes back ------------------------------------------------------------------------------

tests["what was written is never written again"] = function()
    local it = ready_world()
    it:ask("spent")
    local link = it:holder("spent")
    link.events.closed("closed")
    it:expect("spent", "try-again")
    it:pass(10)
    local times = 0
    for _, each in ipairs(it.links) do
        for _, bytes in ipairs(each.written) do
            times = times + (bytes == "question spent" and 1 or 0)
        end
    end
    equal(times, 1, "times written")
end

tests["what was refused whole goes to another connection"] = function()
    local it = ready_world({ connections = 2 })
    it:ask("due")
    local leaving = it:holder("due")
    local other = it.links[1] == leaving and it.links[2] or it.links[1]
    leaving.refuses, other.refuses = true, true
    it:ask("moved")
    equal(leaving.open, true, "the link that owes an answer is open")
    equal(other.open, false, "the link that owes none is open")
    it:turn()
    local link = it:holder("moved")
    assert(link and link ~= leaving and link ~= other, "moved to a new link")
    leaving.events.bytes(NO)
    it:expect("due", "no")
    equal(leaving.open, false, "the link that has answered all is open")
    equal(#it.pool.leaving, 0, "connections that are leaving")
    link.events.bytes(YES)
    it:expect("moved", "yes")
end

tests["a connection that holds bytes back is not given more"] = function()
    local it = ready_world({ connections = 2 })
    it.links[1].full, it.links[2].full = true, true
    it:ask("a")
    it:ask("b")
    it:ask("c")
    assert(it:holder("a") ~= it:holder("b"))
    equal(it:holder("c"), nil)
    it.links[2].events.drained()
    equal(it:holder("c"), it.links[2])
end

tests["a short restart is only a wait"] = function()
    local it = ready_world()
    it.up = false
    for _, link in ipairs(it:open_links()) do
        link.events.closed("closed")
    end
    it:ask("patient")
    it:pass(2)
    it:expect("patient", nil)
    it.up = true
    it:pass(0.25)
    it:holder("patient").events.bytes(YES)
    it:expect("patient", "yes")
end

tests["no question waits longer than its time"] = function()
    local it = world()
    it.up = false
    it:ask("a")
    it:pass(4.9)
    it:expect("a", nil)
    it:pass(0.2)
    it:expect("a", "try-again")
end

tests["in a long outage a question waits for one attempt"] = function()
    local it = world()
    it.up = false
    it:ask("a")
    it:pass(5.1)
    it:ask("b")
    it:pass(0.25)
    it:expect("b", "try-again")
    it.up = true
    it:ask("c")
    it:pass(0.25)
    it:turn()
    it:holder("c").events.bytes(YES)
    it:expect("c", "yes")
end

tests["an outage of long ago says nothing about this one"] = function()
    local it = world()
    it.up = false
    it:ask("a")
    it:pass(5.1)
    it:pass(3600)
    it:ask("b")
    it:pass(1)
    it:expect("b", nil)
end

tests["attempts to connect keep a distance"] = function()
    local it = world()
    local attempts = 0
    local connect = it.pool.connect
    it.pool.connect = function(...) attempts = attempts + 1; return connect(...) end
    it.up = false
    for number = 1, 50 do
        it:ask("q" .. number)
    end
    it:pass(1)
    assert(attempts <= 5, attempts .. " attempts in a second")
end

tests["at rest there is no timer"] = function()
    local it = ready_world()
    it:pass(60)
    equal(#it.timers, 0, "timers")
    it.up = false
    for _, link in ipairs(it:open_links()) do
        link.events.closed("closed")
    end
    it:pass(60)
    equal(#it.timers, 0, "timers after the daemon went")
    equal(#it.log, 0, "log lines")
end

tests["an outage is logged when it begins, when it gets long, and when it ends"] = function()
    local it = world()
    it.up = false
    for _ = 1, 10 do
        it:ask("a")
        it:pass(1)
    end
    it.up = true
    it:ask("b")
    it:turn()
    equal(#it.log, 3, "log lines")
    assert(it.log[1]:find("^info .*connection refused.*wait"), it.log[1])
    assert(it.log[2]:find("^warn .*connection refused.*temporary%-auth%-failure"), it.log[2])
    assert(it.log[3]:find("^info .*again"), it.log[3])
end

tests["a daemon that has no room for all connections serves by those it took"] = function()
    local it = world()
    it:ask("a")
    it.links[3].events.closed("closed")
    it.links[4].events.closed("closed")
    it:turn()
    it:holder("a").events.bytes(YES)
    it:expect("a", "yes")
    equal(#it.log, 0, "log lines")
end

-- ---- unload ---------------------------------------------------------------------------------------------------------

tests["after close() questions on their way are answered, and nothing new is asked"] = function()
    local it = ready_world()
    it:ask("due")
    it.pool:close()
    it:ask("new")
    it:expect("new", "try-again")
    equal(#it:open_links(), 1, "open links")
    it:holder("due").events.bytes(NO)
    it:expect("due", "no")
    equal(#it:open_links(), 0, "open links")
    it:pass(10)
    equal(#it.timers, 0, "timers")
end

tests["close() leaves no question without an end"] = function()
    local it = ready_world()
    it:ask("due")
    it.up = false
    it:holder("due").refuses = true
    it.pool:close()
    it:pass(6)
    it:expect("due", "try-again")
    equal(#it:open_links(), 0, "open links")
end

tests["close() before anything was asked, and twice, is nothing"] = function()
    local it = world()
    it.pool:close()
    it.pool:close()
    it:ask("a")
    it:expect("a", "try-again")
    equal(#it.links, 0)
end

-- ---- whatever happens -----------------------------------------------------------------------------------------------

tests["every question gets one answer, its own or try-again, in any storm"] = function()
    for seed = 1, 300 do
        math.randomseed(seed)
        local it = world({ connections = math.random(1, 4), limit = math.random(5, 60) })
        local asked, truth = {}, {}
        local function answer_some(link)
            for _ = 1, math.random(0, 3) do
                local bytes = link.open and table.remove(link.written, 1)
                if bytes then
                    link.events.bytes(truth[bytes] == "yes" and YES or NO)
                end
            end
        end
        local storm = {
            function()
                local name = "s" .. #asked
                table.insert(asked, name)
                truth["question " .. name] = math.random(2) == 1 and "yes" or "no"
                it:ask(name)
            end,
            function() for _, link in ipairs(it.links) do answer_some(link) end end,
            function() it:turn() end,
            function() it:pass(math.random() * 2) end,
            function()
                local link = it.links[math.random(math.max(#it.links, 1))]
                if link and link.open then link.events.closed("closed") end
            end,
            function() it.up = math.random(3) > 1 end,
            function()
                local link = it.links[math.random(math.max(#it.links, 1))]
                if link then link.refuses = true end
            end,
        }
        for _ = 1, 200 do
            storm[math.random(3) == 1 and math.random(#storm) or math.random(4)]()
        end
        it:pass(20)
        for _, name in ipairs(asked) do
            local got = it.answers[name]
            equal(#got, 1, "seed " .. seed .. ", answers to " .. name)
            assert(got[1] == "try-again" or got[1] == truth["question " .. name], "seed " .. seed .. ": another's answer")
        end
        equal(it.pool.unanswered, 0, "questions without an answer")
    end
end

return tests
