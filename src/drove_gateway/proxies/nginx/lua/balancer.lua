-- What NGINX calls for each request: access, balance, log.
local balancer = require("ngx.balancer")
local base = require("resty.core.base")
local ffi = require("ffi")
local choice = require("drove_gateway.choice")
local counters = require("drove_gateway.counters")
local health = require("drove_gateway.health")
local running = require("drove_gateway.running")
local view = require("drove_gateway.view")

local M = {}

-- When no other server is left, a request tries this many servers that count as failed.
local MOST_FAILED = 10
-- Stops the balancing as NGINX does where no server lives: the client gets 502.
local NO_SERVER = -3
local find = view.find

-- Requests under way, by the address of NGINX's request. Not in ngx.ctx, which an internal
-- redirect (error_page) clears: the server's count of running requests would never go down.
local requests = {}

local function request_key()
    return tonumber(ffi.cast("intptr_t", base.get_request()))
end

-- A subrequest has no log phase of its own, so that it cannot be counted.
local function request_record()
    if ngx.is_subrequest then
        local record = ngx.ctx.drove_gateway
        if not record then
            record = { uncounted = true }
            ngx.ctx.drove_gateway = record
        end
        return record
    end
    local key = request_key()
    local record = requests[key]
    if not record then
        record = {}
        requests[key] = record
    end
    return record
end

local function release(record)
    if record.server and not record.uncounted then
        running.finish(record.server.load)
    end
    record.server = nil
end

-- The last try ended without a response: remember it, so that another server is tried next.
local function failed(record, upstream, now)
    local server = record.server
    health.failed(upstream.name, server, now, record.on_trial)
    record.tried = record.tried or {}
    record.tried[server.uid] = true
    counters.add("retries")
end

local function begin(record, upstream, server, now)
    record.server = server
    record.was_failed = server.load.blocked > 0
    record.on_trial = record.was_failed and server.load.blocked <= now
    if record.on_trial then
        -- One request tries a server that has failed, the others wait for its outcome.
        server.load.blocked = now + server.fail_timeout
    end
    if not record.uncounted then
        running.begin(server.load)
    end
end

local function choose(record, upstream, now)
    local server = choice.choose(upstream.servers, upstream.method, now, record.tried)
    if not server and record.tried then
        -- Every server was tried. NGINX allows another try, as after a stale connection.
        record.tried = nil
        server = choice.choose(upstream.servers, upstream.method, now, nil)
    end
    return server
end

-- Whether the last of the tries that NGINX lists ended before any response came.
local function ended_without_response(statuses, times)
    local status = string.sub(statuses or "", -3)
    return (status == "502" or status == "504") and string.sub(times or "", -1) == "-"
end

-- The same where an internal redirect (error_page) has already begun another try, after a colon.
local function failed_before_redirect()
    local statuses, times = ngx.var.upstream_status, ngx.var.upstream_header_time
    return ended_without_response(
        string.match(statuses or "", "^(.*) : "), string.match(times or "", "^(.*) : "))
end

-- The request was here before: its try failed, or an internal redirect begins it anew.
local function retry(record, upstream, now)
    local state = balancer.get_last_failure()
    if upstream and record.server and (state == "failed" or
        not state and failed_before_redirect()) then
        failed(record, upstream, now)
    end
    release(record)
end

-- Let NGINX come back for another server if this one fails, while there is one worth trying.
local function allow_retry(record, upstream, server, now)
    record.tries = (record.tries or 0) + 1
    if server.load.blocked > now then
        record.tries_of_failed = (record.tries_of_failed or 0) + 1
    end
    if record.tries < upstream.serving and (record.tries_of_failed or 0) < MOST_FAILED then
        balancer.set_more_tries(1)
    end
end

-- balancer_by_lua: choose a server for the request, or another one after a try that failed.
function M.balance(name)
    local upstream = find(name)
    local record = request_record()
    local now = ngx.now()
    if record.name then
        retry(record, upstream, now)
    end
    record.name = name
    local server = upstream and choose(record, upstream, now)
    if not server then
        counters.add(upstream and "without_server" or "unknown")
        return ngx.exit(NO_SERVER)
    end
    allow_retry(record, upstream, server, now)
    begin(record, upstream, server, now)
    local ok, problem = balancer.set_current_peer(server.host, server.port)
    if not ok then
        ngx.log(ngx.ERR, "drove-gateway: upstream ", name, ", server ", server.host, ": ", problem)
        return ngx.exit(NO_SERVER)
    end
end

local function respond(status, text)
    ngx.status = status
    ngx.header.content_type = "text/plain"
    ngx.header.content_length = #text
    ngx.print(text)
    return ngx.exit(status)
end

local function enter(upstream)
    if not upstream then
        counters.add("unknown")
        return respond(404, "no such vhost here\n")
    elseif upstream.serving == 0 then
        counters.add("without_server")
        return respond(503, "no server of this vhost is in service\n")
    end
end

-- access_by_lua of a server block: a vhost that was removed is 404, and one without servers 503.
function M.access(name)
    return enter(find(name))
end

-- access_by_lua of the default server: serve what has no server block yet.
function M.access_by_host(name)
    local upstream = find(name)
    return enter(upstream and upstream.routed and upstream)
end

local function judge(record)
    local upstream = find(record.name)
    if not upstream then
        return
    end
    local times = ngx.var.upstream_header_time
    if ended_without_response(ngx.var.upstream_status, times) then
        health.failed(record.name, record.server, ngx.now(), record.on_trial)
    elseif record.was_failed and times and string.sub(times, -1) ~= "-" then
        health.recovered(record.name, record.server, ngx.now())
    end
end

-- log_by_lua: the request ended, in whatever way.
function M.log()
    local key = request_key()
    local record = requests[key]
    if not record then
        return
    end
    requests[key] = nil
    counters.add("requests")
    local status = ngx.status
    if status >= 500 then
        counters.add("errors")
    end
    if record.server then
        if status >= 500 or record.was_failed then
            judge(record)
        end
        release(record)
    end
end

return M
