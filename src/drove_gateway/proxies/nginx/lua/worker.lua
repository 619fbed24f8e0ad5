-- The beginning and the end of a worker process.
local counters = require("drove_gateway.counters")
local running = require("drove_gateway.running")
local store = require("drove_gateway.store")
local view = require("drove_gateway.view")

local M = {}

local SECONDS = 1

-- init_worker_by_lua. A worker that was killed could not take its counts along.
function M.start()
    math.randomseed(ngx.worker.pid() + ngx.now() * 1000)
    local killed = running.start()
    if killed then
        for _, name in ipairs(store.names()) do
            local upstream = store.current(name)
            local uids = {}
            for _, server in ipairs(upstream and upstream.servers or {}) do
                uids[#uids + 1] = view.uid(upstream, server)
            end
            running.forget_worker(killed, uids)
        end
    end
    ngx.timer.every(SECONDS, function()
        counters.flush()
        running.touch()
    end)
end

-- exit_worker_by_lua.
function M.stop()
    counters.flush()
    running.stop()
end

return M
