-- What the API shows: servers, the status of upstreams, and this balancer itself.
local counters = require("drove_gateway.counters")
local file = require("drove_gateway.file")
local health = require("drove_gateway.health")
local json = require("drove_gateway.json")
local parameters = require("drove_gateway.parameters")
local running = require("drove_gateway.running")
local store = require("drove_gateway.store")
local view = require("drove_gateway.view")

local M = {}

-- So many upstreams are shown before traffic gets its turn.
local AT_A_TIME = 50
-- In seconds; NGINX without OpenResty's patches warns of a pause of 0 in its log.
local PAUSE = 0.001

local function state(server, uid, now)
    if server.down then
        return "down"
    elseif server.drain then
        return "draining"
    end
    return health.is_failed(uid, now) and "unavail" or "up"
end

local function peer(upstream, server, workers, now)
    local uid = view.uid(upstream, server)
    return {
        id = server.id, server = server.server, name = server.server,
        backup = parameters.value(server, "backup"), weight = parameters.value(server, "weight"),
        state = state(server, uid, now), active = running.active(uid, workers),
        fails = health.failures(uid),
    }
end

local function shown(name, upstream, workers)
    local peers, now = json.list(), ngx.now()
    for index, server in ipairs(upstream.servers) do
        peers[index] = peer(upstream, server, workers, now)
    end
    return { peers = peers, keepalive = 0, zombies = 0, zone = name }
end

-- The status of an upstream, as at /api/9/http/upstreams/NAME.
function M.upstream(name, upstream)
    return shown(name, upstream, running.workers())
end

-- The status of every upstream, by name.
function M.upstreams()
    local all, workers = {}, running.workers()
    for index, name in ipairs(view.names()) do
        local upstream = view.current(name)
        if upstream then
            all[name] = shown(name, upstream, workers)
        end
        if index % AT_A_TIME == 0 then
            ngx.sleep(PAUSE)
        end
    end
    return all
end

-- What the Plus API has no place for. An upstream that only the file has has no revision.
function M.details(upstream, version)
    return {
        revision = version and store.revision(version) or 0,
        health_changes = version and store.health_changes(version) or 0,
        method = upstream.method or "round_robin", routed = upstream.routed or false,
    }
end

local function version_text()
    local number = ngx.config.nginx_version
    return string.format("%d.%d.%d", math.floor(number / 1000000),
        math.floor(number / 1000) % 1000, number % 1000)
end

-- Which NGINX this is and how often it loaded its configuration, as at /api/9/nginx.
function M.identity()
    return {
        version = version_text(), build = "drove-gateway-lua", address = ngx.var.server_addr,
        generation = file.loads, pid = ngx.worker.pid(), ppid = running.master(),
        load_timestamp = os.date("!%Y-%m-%dT%H:%M:%S", math.floor(file.loaded_at)) ..
            string.format(".%03dZ", file.loaded_at % 1 * 1000),
    }
end

-- The handshake: which code runs with which file, and how it is doing.
function M.balancer()
    return {
        version = file.about.version, hash = file.about.hash,
        generation = file.about.generation, loads = file.loads,
        dictionary = store.memory(), counters = counters.read(),
        upstreams = #view.names(), only_in_file = view.only_in_file(),
        workers = json.list(running.workers()),
    }
end

return M
