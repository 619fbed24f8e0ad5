-- Counters over all upstreams. A worker adds its own to the shared ones once a second, so that
-- counting costs a request nothing.
local M = {}

local NAMES = { "requests", "errors", "retries", "unknown", "without_server" }
local counts = ngx.shared.drove_gateway_counts
local pending = {}

function M.add(name)
    pending[name] = (pending[name] or 0) + 1
end

function M.flush()
    for name, number in pairs(pending) do
        counts:incr("c:" .. name, number, 0)
    end
    pending = {}
end

-- All counters since NGINX started.
function M.read()
    M.flush()
    local read = {}
    for _, name in ipairs(NAMES) do
        read[name] = counts:get("c:" .. name) or 0
    end
    return read
end

return M
