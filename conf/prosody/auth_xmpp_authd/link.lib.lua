-- One stream connection to a Unix socket in Prosody's event loop (epoll, select or event).
--
-- connect(path, events) returns a link, or nil and the system's message; it never waits. Then these are called:
--   events.opened()         once, first, and not before connect() has returned: now it may be written to
--   events.bytes(data)      what arrived
--   events.drained()        what send() held back has been taken by the system
--   events.closed(reason)   the peer or an error closed it; at most once, and never after link.close()
--
-- link.send(bytes) returns
--   "sent"      all of it was handed to the system
--   "held"      a part may wait for room: send nothing more before events.drained()
--   "refused"   the peer takes no more, and not one byte of it went: it may be sent elsewhere. What the peer still has to
--               say can arrive all the same.
-- link.close() ends it at once, without what was held back.

local server = require "net.server"
local socket_unix = require "socket.unix"

local new_stream = type(socket_unix) == "table" and socket_unix.stream or socket_unix

local function listener_for(link, events)
    local listener = {}

    -- Not sooner: epoll takes what arrives before this for a failure to connect, event forgets what was written before.
    function listener.onconnect()
        if link.open then
            events.opened()
        end
    end

    function listener.onincoming(_, data)
        if link.open and data and data ~= "" then
            events.bytes(data)
        end
    end

    function listener.ondrain()
        if link.open and link.holds_back then
            link.holds_back = false
            events.drained()
        end
    end

    function listener.ondisconnect(_, reason)
        if link.open then
            link.open = false
            events.closed(reason or "closed")
        end
    end

    -- A quiet connection is a healthy one: the questions have deadlines of their own.
    function listener.onreadtimeout()
        return true
    end

    return listener
end

-- Past the event loop's own write buffer, straight to the system: only so is it known what was delivered when the peer
-- goes away. What the system has no room for goes through the buffer.
local function send(link, socket, handle, bytes)
    local sent, failure, reached = socket:send(bytes)
    if sent then
        return "sent"
    end
    if failure == "timeout" then
        link.holds_back = true
        handle:write(bytes:sub(reached + 1))
        return "held"
    end
    return reached == 0 and "refused" or "held"
end

-- shutdown() first: it works in every state of every back end, where close() alone may be put off (until data is written
-- on epoll and select, until the first turn of the loop on event).
local function close(link, socket, handle)
    if link.open then
        link.open = false
        socket:shutdown("both")
        handle:close()
    end
end

local function connect(path, events)
    local socket, failure = new_stream()
    if not socket then
        return nil, failure
    end
    socket:settimeout(0)
    -- A Unix socket connects at once or not at all: "timeout" is a full backlog, and nothing will come of it later.
    local connected, reason = socket:connect(path)
    if not connected then
        socket:close()
        return nil, reason == "timeout" and "its backlog is full" or reason
    end
    local link = { open = true, holds_back = false }
    -- select wants a port that is a number; "*a" makes every back end hand over what is there.
    local handle, refusal = server.wrapclient(socket, path, 0, listener_for(link, events), "*a")
    if not handle then
        socket:close()
        return nil, refusal
    end
    function link.send(bytes) return send(link, socket, handle, bytes) end
    function link.close() close(link, socket, handle) end
    return link
end

return { connect = connect }
