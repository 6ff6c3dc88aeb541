-- Who exists: the daemon's answers to `isuser`, kept for a while. Pure logic: clock and questions are handed in.
--
-- What it promises:
--   * A yes is believed for `yes_seconds`, a no for `no_seconds`; then the daemon is asked anew.
--   * While the daemon can't say, the last known answer holds, however old; a name never heard of counts as existing, for
--     a false no bounces mail. It is asked again after `no_seconds`.
--   * At most one question about a name is on its way at any time, and at most `capacity` names are kept.
--
-- new{ ask, now, yes_seconds, no_seconds, capacity }
--   ask(name, answered)   answered("yes", "no" or "try-again") is called once, perhaps before ask() returns
--   now()                 seconds

local Users = {}
Users.__index = Users

local function new(options)
    local users = setmetatable({}, Users)
    for name, value in pairs(options) do
        users[name] = value
    end
    -- Two generations in place of an exact order of use: a name is found again in the next one if somebody asks about it,
    -- and the older one is forgotten as a whole.
    users.younger, users.older, users.count = {}, {}, 0
    users.asking = {} -- name: the list of those who wait for its answer
    return users
end

function Users:store(name, entry)
    if self.younger[name] == nil then
        if self.count >= self.capacity // 2 then
            self.older, self.younger, self.count = self.younger, {}, 0
        end
        self.count = self.count + 1
    end
    self.younger[name] = entry
end

function Users:recall(name)
    local entry = self.younger[name]
    if not entry and self.older[name] then
        entry = self.older[name]
        self:store(name, entry)
    end
    return entry
end

-- What is known about `name`: whether it exists, and whether that can be believed without asking.
function Users:known(name)
    local entry = self:recall(name)
    if not entry then
        return true, false
    end
    return entry.exists, self.now() < entry.until_then
end

function Users:learn(name, answer)
    local exists, seconds = self:known(name), self.no_seconds
    if answer == "yes" then
        exists, seconds = true, self.yes_seconds
    elseif answer == "no" then
        exists = false
    end
    self:store(name, { exists = exists, until_then = self.now() + seconds })
    return exists
end

-- Asks the daemon; told(exists), if given, is called once, perhaps before refresh() returns.
function Users:refresh(name, told)
    local waiting = self.asking[name]
    if waiting then
        table.insert(waiting, told)
        return
    end
    waiting = { told }
    self.asking[name] = waiting
    self.ask(name, function(answer)
        self.asking[name] = nil
        local exists = self:learn(name, answer)
        for _, tell in ipairs(waiting) do
            tell(exists)
        end
    end)
end

return { new = new }
