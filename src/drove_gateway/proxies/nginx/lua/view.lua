-- Upstreams as this worker has them at hand. Looking at an upstream costs the reading of a small
-- number from the dictionary; the upstream is decoded again only when that number changed.
local address = require("drove_gateway.address")
local health = require("drove_gateway.health")
local json = require("drove_gateway.json")
local parameters = require("drove_gateway.parameters")
local running = require("drove_gateway.running")
local store = require("drove_gateway.store")

local M = {}

local views = {}
-- What did not fit into the dictionary is served as the file lists it, until the next load.
local only_in_file = {}

-- A server that all workers of NGINX know by the same name.
function M.uid(upstream, server)
    return upstream.epoch .. "." .. server.id
end

-- Each worker gets its share of `max_conns`, so that together they never exceed it.
local function limit(most)
    return most > 0 and math.max(1, math.floor(most / ngx.worker.count())) or 0
end

local function seen(upstream, server)
    local uid = M.uid(upstream, server)
    local host, port = address.parts(server.server)
    local value = parameters.value
    return {
        uid = uid, host = host, port = port, load = running.load(uid),
        weight = value(server, "weight"), limit = limit(value(server, "max_conns")),
        max_fails = value(server, "max_fails"), fail_timeout = value(server, "fail_timeout") / 1000,
        slow_start = value(server, "slow_start") / 1000, since = (server.since or 0) / 1000,
        backup = value(server, "backup"), down = value(server, "down"),
        drain = value(server, "drain"),
    }
end

local function made(name, upstream, version)
    local view = {
        name = name, version = version, revision = version and store.revision(version),
        method = upstream.method, routed = upstream.routed, servers = {}, serving = 0,
    }
    for index, server in ipairs(upstream.servers) do
        view.servers[index] = seen(upstream, server)
        if not server.down and not server.drain then
            view.serving = view.serving + 1
        end
    end
    return view
end

local function refresh(view)
    local now = ngx.now()
    for _, server in ipairs(view.servers) do
        health.refresh(server, now)
    end
    return view
end

local function leave(view, stays)
    for _, server in ipairs(view and view.servers or {}) do
        if not stays[server.uid] then
            running.leave(server.load)
        end
    end
end

local function replace(name, view)
    local stays = {}
    for _, server in ipairs(view and view.servers or {}) do
        stays[server.uid] = true
    end
    leave(views[name], stays)
    views[name] = view
    return view
end

local function reread(name, version)
    local view = views[name]
    if view and view.revision == store.revision(version) then
        view.version = version
        return refresh(view)
    end
    local upstream, read_version = store.current(name)
    if not upstream then
        return replace(name, nil)
    end
    return refresh(replace(name, made(name, upstream, read_version)))
end

local function from_file(name)
    local upstream = only_in_file[name]
    if upstream and not views[name] then
        views[name] = made(name, upstream, nil)
    elseif not upstream and views[name] then
        replace(name, nil)
    end
    return views[name]
end

-- An upstream, nil where there is none of this name.
function M.find(name)
    local version = store.version(name)
    local view = views[name]
    if version and view and view.version == version then
        return view
    elseif version then
        return reread(name, version)
    elseif view or only_in_file[name] then
        return from_file(name)
    end
    return nil
end

-- While the configuration is loaded: an upstream that did not fit into the dictionary.
function M.keep_from_file(name, upstream)
    only_in_file[name] = upstream
end

function M.is_only_in_file(name)
    return only_in_file[name] ~= nil and store.version(name) == nil
end

-- Whether an upstream did not fit into the dictionary at the load, be it there by now. If it were
-- removed from there, it would be served as the file lists it again.
function M.did_not_fit(name)
    return only_in_file[name] ~= nil
end

-- An upstream that only the file has, to read.
function M.from_file_only(name)
    return M.is_only_in_file(name) and only_in_file[name] or nil
end

-- The same, to change.
function M.copy_from_file(name)
    local upstream = M.from_file_only(name)
    return upstream and json.decode(json.encode(upstream))
end

-- The upstream as it is now, with its version where the dictionary has it.
function M.current(name)
    local upstream, version = store.current(name)
    if upstream then
        return upstream, version
    end
    return M.from_file_only(name), nil
end

-- The names of all upstreams, in order.
function M.names()
    local names = store.names()
    for name in pairs(only_in_file) do
        if M.is_only_in_file(name) then
            names[#names + 1] = name
        end
    end
    table.sort(names)
    return names
end

function M.only_in_file()
    local names = 0
    for name in pairs(only_in_file) do
        names = names + (M.is_only_in_file(name) and 1 or 0)
    end
    return names
end

return M
