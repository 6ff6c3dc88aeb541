-- First in, first out.

local tools = ...
local Fifo = tools.load("fifo")
local equal = tools.equal

local tests = {}

tests["an empty line has nothing to give"] = function()
    local line = Fifo.new()
    equal(line:length(), 0)
    equal(line:peek(), nil)
    equal(line:pop(), nil)
    equal(line:length(), 0)
end

tests["what came first leaves first, however both mix"] = function()
    local line, put, taken = Fifo.new(), 0, 0
    for round = 1, 200 do
        for _ = 1, round % 7 do
            put = put + 1
            line:push(put)
        end
        for _ = 1, math.min(round % 5, line:length()) do
            taken = taken + 1
            equal(line:peek(), taken)
            equal(line:pop(), taken)
        end
        equal(line:length(), put - taken)
    end
end

tests["what has left is not kept"] = function()
    local line, kept = Fifo.new(), setmetatable({}, { __mode = "k" })
    local item = {}
    kept[item] = true
    line:push(item)
    item = line:pop() and nil
    collectgarbage()
    equal(next(kept), item)
end

return tests
