-- Which server takes a request. Pure: servers, time and what was tried come as arguments.
--
-- A server here has every parameter, and `load`: what this worker knows of it:
-- { active = running requests, current = its balance in the weighted round robin,
--   blocked = 0, or the time until which it counts as failed, recovered = time or nil }
-- Times are seconds.
local M = {}

local PRIMARY, BACKUP, FAILED = 1, 2, 3

-- Whether a server may take a request. In the last round also those that have failed: trying them
-- is better than refusing, and each request tries every server once.
local function accepts(server, round, now, tried)
    if server.down or server.drain or (tried and tried[server.uid]) then
        return false
    end
    local load = server.load
    if server.limit > 0 and load.active >= server.limit then
        return false
    end
    if round == FAILED then
        return true
    end
    return load.blocked <= now and server.backup == (round == BACKUP)
end

-- The weight while slow_start lasts grows from next to nothing to the whole.
function M.weight(server, now)
    local begin = math.max(server.since, server.load.recovered or 0)
    local elapsed = now - begin
    if elapsed >= server.slow_start or begin == 0 then
        return server.weight
    end
    return server.weight * math.max(elapsed, 0.001) / server.slow_start
end

local function least_busy(servers, round, now, tried)
    local least = math.huge
    for index = 1, #servers do
        local server = servers[index]
        if accepts(server, round, now, tried) then
            least = math.min(least, server.load.active / server.weight)
        end
    end
    return least
end

-- Smooth weighted round robin: of weights 5, 1, 1 it makes a a b a c a a.
local function pick(servers, round, now, tried, busiest)
    local best, total = nil, 0
    for index = 1, #servers do
        local server = servers[index]
        local load = server.load
        if accepts(server, round, now, tried) and load.active / server.weight <= busiest then
            local weight = M.weight(server, now)
            load.current = load.current + weight
            total = total + weight
            if not best or load.current > best.load.current then
                best = server
            end
        end
    end
    if best then
        best.load.current = best.load.current - total
    end
    return best
end

-- The server for a request, nil where there is none; `tried` has the uids not to try again.
function M.choose(servers, method, now, tried)
    for round = PRIMARY, FAILED do
        local busiest = math.huge
        if method == "least_conn" then
            busiest = least_busy(servers, round, now, tried)
        end
        local best = pick(servers, round, now, tried, busiest)
        if best then
            return best
        end
    end
    return nil
end

return M
