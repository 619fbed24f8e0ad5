-- An upstream as a value: what each call of the API makes of it. Nothing here knows NGINX.
--
-- { epoch = number, next = id of the next server, method = "least_conn" or nil, routed = boolean,
--   servers = list of { id, server, parameters that differ from the defaults, since } }
--
-- `epoch` and a server's id together name the server for as long as NGINX runs. `since` is when it
-- came, in milliseconds; slow_start begins there.
local json = require("drove_gateway.json")
local parameters = require("drove_gateway.parameters")
local refusal = require("drove_gateway.refusal")

local M = {}

local UNCHANGEABLE = { id = true, backup = true, service = true }
local METHODS = { round_robin = true, least_conn = true }
-- A limit of its own, so that one upstream cannot fill the dictionary or a worker's time.
M.most_servers = 20000

function M.new(epoch)
    return { epoch = epoch, next = 0, servers = json.list() }
end

local function position(upstream, id)
    for index, server in ipairs(upstream.servers) do
        if server.id == id then
            return index
        end
    end
    refusal.raise(404, "UpstreamServerNotFound",
        'server with ID "' .. tostring(id) .. '" does not exist')
end

-- The number that a path names. Raises a refusal.
function M.server_id(text)
    if not string.find(text, "^%d+$") or #text > 15 then
        refusal.raise(400, "UpstreamBadServerId", "invalid server id")
    end
    return tonumber(text)
end

function M.find(upstream, id)
    return upstream.servers[position(upstream, id)]
end

local function append(upstream, read, now)
    if not read.server then
        refusal.raise(400, "UpstreamConfFormatError", 'missing "server" argument')
    end
    if #upstream.servers >= M.most_servers then
        refusal.raise(400, "UpstreamOutOfMemory",
            string.format("more than %d servers in one upstream", M.most_servers))
    end
    local server = parameters.assign({ id = upstream.next, since = read.slow_start and now }, read)
    upstream.next = upstream.next + 1
    upstream.servers[#upstream.servers + 1] = server
    return server
end

-- Add the server that an object states, or an address with the parameters of `fresh` servers.
function M.add(upstream, object, now, fresh)
    if fresh and type(object) == "string" then
        return append(upstream, parameters.at(object, fresh), now)
    end
    return append(upstream, parameters.read(object), now)
end

local function serves(server)
    return not server.down and not server.drain
end

local function change(server, read, now)
    local before = serves(server)
    parameters.assign(server, read)
    if not before and serves(server) then
        server.since = server.slow_start and now
    end
    return server
end

-- Change a server by what an object states.
function M.change(upstream, id, object, now)
    local index = position(upstream, id)
    return change(upstream.servers[index], parameters.read(object, UNCHANGEABLE), now)
end

function M.remove(upstream, id)
    table.remove(upstream.servers, position(upstream, id))
end

local function by_address(servers)
    local found = {}
    for _, server in ipairs(servers) do
        found[server.server] = found[server.server] or {}
        table.insert(found[server.server], server)
    end
    return found
end

-- A server of before with the parameters that are stated, and the defaults for all others.
local function renewed(server, read, now)
    local fresh = { id = server.id, since = server.since, drain = server.drain, down = server.down }
    local all = { drain = false, down = false }
    for name, value in pairs(read) do
        all[name] = value
    end
    return change(fresh, all, now)
end

-- The servers become exactly those stated; an address that was there keeps its id.
function M.replace(upstream, objects, now)
    local before = by_address(upstream.servers)
    upstream.servers = json.list()
    for _, object in ipairs(objects) do
        local read = parameters.read(object)
        local same = read.server and before[read.server]
        local old = same and table.remove(same, 1)
        if old then
            table.insert(upstream.servers, renewed(old, read, now))
        else
            append(upstream, read, now)
        end
    end
end

local function each_at(upstream, object, apply)
    local read = parameters.read(object, UNCHANGEABLE)
    local found = false
    for _, server in ipairs(upstream.servers) do
        if server.server == read.server then
            found = true
            apply(server, read)
        end
    end
    if not found then
        refusal.raise(404, "UpstreamServerNotFound",
            'server "' .. tostring(read.server) .. '" does not exist')
    end
end

local function without(upstream, gone)
    local kept = json.list()
    for _, server in ipairs(upstream.servers) do
        if not gone[server] then
            kept[#kept + 1] = server
        end
    end
    upstream.servers = kept
end

-- Add, change and remove servers by their addresses, all of it or nothing.
function M.patch(upstream, additions, changes, removals, now, fresh)
    for _, object in ipairs(additions) do
        M.add(upstream, object, now, fresh)
    end
    for _, object in ipairs(changes) do
        each_at(upstream, object, function(server, read)
            change(server, read, now)
        end)
    end
    local gone = {}
    for _, server in ipairs(removals) do
        each_at(upstream, { server = server }, function(found)
            gone[found] = true
        end)
    end
    without(upstream, gone)
end

-- Set how the upstream balances, and whether the default server may route to it.
function M.configure(upstream, method, routed)
    if method ~= nil then
        if not METHODS[method] then
            refusal.raise(400, "UpstreamConfFormatError",
                'invalid "method" value "' .. tostring(method) .. '"')
        end
        upstream.method = method ~= "round_robin" and method or nil
    end
    if routed ~= nil then
        if type(routed) ~= "boolean" then
            refusal.raise(400, "UpstreamConfFormatError", 'invalid "routed" value')
        end
        upstream.routed = routed or nil
    end
end

-- The servers as the API lists them; those that are like `fresh` servers in brief.
function M.shown(upstream, fresh)
    local shown = json.list()
    for index, server in ipairs(upstream.servers) do
        if fresh and parameters.is_fresh(server, fresh) then
            shown[index] = server.id .. " " .. server.server
        else
            shown[index] = parameters.shown(server)
        end
    end
    return shown
end

return M
