-- Failed servers, shared between workers: `max_fails` failures within `fail_timeout` take a server
-- out for `fail_timeout`; then it is on trial, and the first response brings it back.
--
--   f:UID  failures in the running window     d:UID  the time until which the server is out
local store = require("drove_gateway.store")

local M = {}

-- How long after its time a server stays on trial that no request has tried.
local TRIAL_FACTOR = 30
local counts = ngx.shared.drove_gateway_counts

local function block(name, server, now)
    server.load.blocked = now + server.fail_timeout
    counts:delete("f:" .. server.uid)
    counts:set("d:" .. server.uid, server.load.blocked, server.fail_timeout * TRIAL_FACTOR)
    store.health_changed(name)
end

-- A try of a server failed; `on_trial` says that it was the first after its time. Without a limit,
-- or without a duration, nothing is counted. A server that is out already was tried because all
-- others are out, too: that changes nothing.
function M.failed(name, server, now, on_trial)
    if server.max_fails == 0 or server.fail_timeout == 0 then
        return
    end
    if on_trial then
        return block(name, server, now)
    elseif server.load.blocked > now then
        return
    end
    local failures = counts:incr("f:" .. server.uid, 1, 0, server.fail_timeout)
    if failures and failures >= server.max_fails then
        block(name, server, now)
    end
end

-- A server that was on trial responded.
function M.recovered(name, server, now)
    server.load.blocked, server.load.recovered = 0, now
    counts:delete("d:" .. server.uid)
    store.health_changed(name)
end

-- Take over what all workers know of a server.
function M.refresh(server, now)
    local load = server.load
    local blocked = counts:get("d:" .. server.uid) or 0
    if blocked == 0 and load.blocked > 0 then
        load.recovered = now
    end
    load.blocked = blocked
end

function M.is_failed(uid, now)
    return (counts:get("d:" .. uid) or 0) > now
end

function M.failures(uid)
    return counts:get("f:" .. uid) or 0
end

function M.forget(uid)
    counts:delete("f:" .. uid)
    counts:delete("d:" .. uid)
end

return M
