-- A few connections to the daemon and the questions on them. Pure logic: connections, clock and timers are handed in.
--
-- What it promises:
--   * Every question gets exactly one answer: the daemon's own, or "try-again".
--   * A question that was written is never written again. One that no connection took (not a byte of it) waits for another.
--   * Answers are matched in order. Whatever casts doubt on that order (a question past its deadline, an answer that is
--     none, bytes that nobody asked for) closes the connection, and every question on it gets "try-again".
--   * No question waits longer than `timeout`, and at most `limit` wait. Once the daemon has been away for longer than
--     `timeout`, a question waits for one attempt to connect and no more.
--   * At rest it holds no timer, and an idle daemon's restart costs nothing.
--
-- new{ connect, now, after, log, timeout, connections, limit, wire, fifo }
--   connect(events)      a link, or nil and a reason, as link.lib.lua has it
--   now()                seconds; after(seconds, run) calls run() once
--   log(level, ...)      for the operator: the daemon gone, back, or misbehaving

local COOLDOWN = 0.25 -- seconds between a failed attempt to connect and the next one

local Pool = {}
Pool.__index = Pool

-- A connection's states:
--   opening    connected, but the event loop has not seen it yet
--   greeting   `features:tryagain` was sent, its answer is awaited; takes no questions
--   ready      takes questions
--   leaving    the daemon takes no more questions (it is stopping), but still answers those it has
--   closed     of no more use
-- Those that are opening, greeting or ready are in `pool.open`, those that are leaving in `pool.leaving`.

local function new(options)
    local pool = setmetatable({}, Pool)
    for name, value in pairs(options) do
        pool[name] = value
    end
    pool.open, pool.leaving = {}, {}
    pool.unanswered = 0               -- questions, the greetings left aside
    pool.waiting = options.fifo.new() -- those of them that are on no connection yet
    pool.cooling_until = -math.huge
    pool.away_since = nil             -- since when no connection could be made, while there is none;
    pool.away_long = false            -- and whether that is longer than a question waits
    return pool
end

-- Asks. `bytes` is a framed request; answered(verdict) is called exactly once, perhaps before ask() returns.
function Pool:ask(bytes, answered)
    if self.closing or self.unanswered >= self.limit then
        return answered(self.wire.TRY_AGAIN)
    end
    self.unanswered = self.unanswered + 1
    self.waiting:push({
        bytes = bytes,
        deadline = self.now() + self.timeout,
        answered = function(verdict)
            self.unanswered = self.unanswered - 1
            answered(verdict)
        end,
    })
    self:move()
end

-- No more questions from now on. Those that were asked still get their answers; then the connections close.
function Pool:close()
    self.closing = true
    self:move()
end

-- Brings every question as far as it can get now. Safe to call at any time, from anywhere.
function Pool:move()
    if self.waiting:length() > 0 then
        self:connect_missing()
        self:write_waiting()
    end
    self:discard_idle(self.leaving)
    if self.closing and self.waiting:length() == 0 then
        self:discard_idle(self.open)
    end
    self:watch_deadlines()
end

-- ---- connections ----------------------------------------------------------------------------------------------------

local function remove(list, item)
    for position, candidate in ipairs(list) do
        if candidate == item then
            return table.remove(list, position)
        end
    end
end

function Pool:connect_missing()
    if #self.open < self.connections and self.now() < self.cooling_until then
        return self:retry_later()
    end
    for _ = #self.open + 1, self.connections do
        local failure = self:connect_one()
        if failure then
            return self:attempt_failed(failure)
        end
    end
end

-- Opens one connection. Returns nothing, or why it failed.
function Pool:connect_one()
    local connection = { state = "opening", asked = self.fifo.new(), unread = "", clogged = false }
    local link, failure = self.connect({
        opened = function() self:greet(connection) end,
        bytes = function(data) self:receive(connection, data) end,
        drained = function() connection.clogged = false; self:move() end,
        closed = function(reason) self:lose(connection, reason) end,
    })
    if not link then
        return failure
    end
    connection.link = link
    table.insert(self.open, connection)
end

function Pool:greet(connection)
    if connection.link.send(self.wire.HELLO) ~= "sent" then
        return self:lose(connection, "it takes no question")
    end
    connection.state = "greeting"
    connection.asked:push({
        deadline = self.now() + self.timeout,
        answered = function(verdict) self:greeted(connection, verdict) end,
    })
    self:watch_deadlines()
end

function Pool:greeted(connection, verdict)
    if verdict == self.wire.YES then
        connection.state = "ready"
        if self.away_since then
            self.away_since = nil
            self.log("info", "xmpp-authd answers again")
        end
    elseif connection.state ~= "closed" then
        self:lose(connection, "it does not know features:tryagain")
    end
end

-- The attempt to get one more connection failed. The first failure while there is none at all begins an outage; so does
-- one after a time without attempts, for the daemon may have been back in between.
function Pool:attempt_failed(reason)
    local now, last_attempt = self.now(), self.cooling_until - COOLDOWN
    self.cooling_until = now + COOLDOWN
    if #self.open > 0 then
        return
    end
    if not self.away_since or now - last_attempt > self.timeout then
        self.away_since, self.away_long = now, false
        self.log("info", "xmpp-authd can't be asked (%s): logins wait for it", reason)
    elseif now - self.away_since >= self.timeout then
        if not self.away_long then
            self.away_long = true
            self.log("warn", "xmpp-authd is away (%s): logins get temporary-auth-failure until it is back", reason)
        end
        self:give_up_waiting()
    end
    self:retry_later()
end

function Pool:retry_later()
    if self.retrying or self.waiting:length() == 0 then
        return
    end
    self.retrying = true
    self.after(math.max(self.cooling_until - self.now(), 0), function()
        self.retrying = false
        self:move()
    end)
end

-- Ends a connection for good; every question on it gets "try-again", for nobody can tell whether it was decided.
function Pool:lose(connection, reason)
    if connection.state == "closed" then
        return
    end
    local was_unused = connection.state == "opening" or connection.state == "greeting"
    local unanswered = connection.asked
    connection.asked = self.fifo.new()
    self:discard(connection)
    if was_unused then
        self:attempt_failed(reason)
    elseif unanswered:length() > 0 then
        self.log("warn", "xmpp-authd left %d questions without an answer: %s", unanswered:length(), reason)
    end
    self:answer_all(unanswered)
    self:move()
end

function Pool:discard(connection)
    remove(connection.state == "leaving" and self.leaving or self.open, connection)
    connection.state = "closed"
    connection.link.close()
end

-- Closes those of a list that owe no answer to a question.
function Pool:discard_idle(list)
    for position = #list, 1, -1 do
        local connection = list[position]
        if connection.asked:length() == 0 or connection.state == "greeting" then
            self:discard(connection)
        end
    end
end

-- ---- questions ------------------------------------------------------------------------------------------------------

function Pool:least_busy()
    local best
    for _, connection in ipairs(self.open) do
        if connection.state == "ready" and not connection.clogged
            and (not best or connection.asked:length() < best.asked:length()) then
            best = connection
        end
    end
    return best
end

function Pool:write_waiting()
    while self.waiting:length() > 0 do
        local connection = self:least_busy()
        if not connection then
            break
        end
        self:write(connection)
    end
    if self.waiting:length() > 0 and #self.open == 0 and self.now() >= self.cooling_until then
        self:connect_missing()
    end
end

-- Writes the question that has waited longest.
function Pool:write(connection)
    local question = self.waiting:peek()
    local outcome = connection.link.send(question.bytes)
    if outcome == "refused" then
        remove(self.open, connection)
        table.insert(self.leaving, connection)
        connection.state = "leaving"
        return
    end
    connection.clogged = outcome == "held"
    self.waiting:pop()
    question.bytes = nil -- it holds a token; and so it can't be written twice
    connection.asked:push(question)
end

-- What the daemon sent. The state is brought up to date before each answer is passed on: what happens then may ask anew,
-- or throw.
function Pool:receive(connection, data)
    connection.unread = connection.unread .. data
    while connection.state ~= "closed" and connection.unread ~= "" do
        if connection.asked:length() == 0 then
            return self:lose(connection, "it sent what nobody asked for")
        end
        local verdict
        verdict, connection.unread = self.wire.answer(connection.unread)
        if verdict == nil then
            break
        elseif verdict == false then
            return self:lose(connection, "it sent what is no answer")
        end
        connection.asked:pop().answered(verdict)
    end
    self:move()
end

function Pool:answer_all(questions)
    for question in function() return questions:pop() end do
        question.answered(self.wire.TRY_AGAIN)
    end
end

function Pool:give_up_waiting()
    local questions = self.waiting
    self.waiting = self.fifo.new()
    self:answer_all(questions)
end

-- ---- deadlines ------------------------------------------------------------------------------------------------------

-- All questions have the same time, so the first in each line is the first due, and one timer serves all.

function Pool:earliest_deadline()
    local earliest = math.huge
    local function consider(line)
        local question = line:peek()
        if question and question.deadline < earliest then
            earliest = question.deadline
        end
    end
    consider(self.waiting)
    for _, list in ipairs({ self.open, self.leaving }) do
        for _, connection in ipairs(list) do
            consider(connection.asked)
        end
    end
    return earliest
end

function Pool:watch_deadlines()
    if self.watching then
        return
    end
    local earliest = self:earliest_deadline()
    if earliest < math.huge then
        self.watching = true
        self.after(math.max(earliest - self.now(), 0), function()
            self.watching = false
            self:enforce_deadlines()
        end)
    end
end

function Pool:enforce_deadlines()
    local now = self.now()
    local function is_due(line)
        local question = line:peek()
        return question and question.deadline <= now
    end
    for _, list in ipairs({ self.open, self.leaving }) do
        for position = #list, 1, -1 do
            local connection = list[position]
            if connection and is_due(connection.asked) then
                self:lose(connection, "no answer in time")
            end
        end
    end
    while is_due(self.waiting) do
        self.waiting:pop().answered(self.wire.TRY_AGAIN)
    end
    self:move()
end

return { new = new }
