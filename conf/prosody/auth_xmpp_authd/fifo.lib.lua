-- First in, first out, in constant time. Pure.

local Fifo = {}
Fifo.__index = Fifo

function Fifo.new()
    return setmetatable({ first = 1, last = 0 }, Fifo)
end

function Fifo:length()
    return self.last - self.first + 1
end

function Fifo:push(item)
    self.last = self.last + 1
    self[self.last] = item
end

-- The oldest item, which stays; nil where there is none.
function Fifo:peek()
    return self[self.first]
end

-- Takes the oldest item out and returns it; nil where there is none.
function Fifo:pop()
    local item = self[self.first]
    if item ~= nil then
        self[self.first] = nil
        self.first = self.first + 1
    end
    return item
end

return Fifo
