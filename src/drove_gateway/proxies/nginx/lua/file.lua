-- The servers that the configuration file lists, taken into the dictionary while it is loaded.
--
-- What the dictionary has is newer than the file, as the file was written once and the API is
-- called ever since: it stays. After a restart of NGINX the dictionary is empty, and the file
-- fills it. An upstream that an earlier file listed and this one does not is removed.
local store = require("drove_gateway.store")
local upstreams = require("drove_gateway.upstream")
local view = require("drove_gateway.view")
local parameters = require("drove_gateway.parameters")
local refusal = require("drove_gateway.refusal")
local socket = require("drove_gateway.socket")

local M = {}

M.about = {}

local is_new
local listed = {}

local function value(text)
    if text == "true" then
        return true
    end
    return string.find(text, "^%d+$") and tonumber(text) or text
end

-- A server as it stands in the file: ADDRESS[,PARAMETER=VALUE…].
local function object(text)
    local read = {}
    for name, default in pairs(M.about.defaults) do
        read[name] = default
    end
    local first, rest = string.match(text, "^([^,]+),?(.*)$")
    read.server = first
    for name, stated in string.gmatch(rest, "([%w_]+)=([^,]+)") do
        read[name] = value(stated)
    end
    return read
end

local function report(name, problem)
    ngx.log(ngx.ERR, "drove-gateway: upstream ", name, " of the configuration file: ",
        refusal.is(problem) and problem.text or tostring(problem))
end

local function filled(name, upstream, entry)
    upstreams.configure(upstream, entry.method, entry.routed)
    local objects = {}
    for _, text in ipairs(entry.servers) do
        local stated = object(text)
        local ok, problem = pcall(parameters.read, stated)
        if ok then
            objects[#objects + 1] = stated
        else
            report(name, problem)
        end
    end
    upstreams.replace(upstream, objects, nil)
    return upstream
end

local function take(name, entry)
    local ok, problem = pcall(store.change, name, function(upstream)
        return filled(name, upstream or store.new_upstream(), entry)
    end)
    if ok then
        return
    end
    report(name, problem)
    if refusal.is(problem) and problem.code == "UpstreamOutOfMemory" then
        -- What the dictionary still has is older than the file.
        pcall(store.remove, name)
        view.keep_from_file(name, filled(name, store.new_upstream(), entry))
    end
end

-- Begin a configuration. `about` has its generation, the hash of this code, the path of the API's
-- socket if it has one, and the parameters of servers that state none.
function M.begin(about)
    M.about = about
    if about.socket then
        socket.remove_stale(about.socket)
    end
    ngx.update_time()
    M.loaded_at = ngx.now()
    is_new = store.load(about.generation)
    M.loads = store.loads()
    listed = {}
end

-- An upstream of the file, or more servers of it.
function M.upstream(name, servers, method, routed)
    local entry = listed[name] or { servers = {}, method = method, routed = routed }
    listed[name] = entry
    for server in string.gmatch(servers, "%S+") do
        entry.servers[#entry.servers + 1] = server
    end
end

local function remove_unlisted()
    for _, name in ipairs(store.listed_names()) do
        if not listed[name] then
            local ok, problem = pcall(store.remove, name)
            if ok then
                store.unlist(name)
            else
                report(name, problem)
            end
        end
    end
end

-- The file has been read: bring the dictionary to it, as far as it does not know better. A name
-- that this same file brought before and that is gone was removed over the API.
function M.finish()
    if is_new then
        remove_unlisted()
    end
    for name, entry in pairs(listed) do
        local known = store.version(name) ~= nil
        if known and is_new and store.is_stale(name) then
            take(name, entry)
        elseif not known and (is_new or not store.is_listed(name)) then
            take(name, entry)
        end
        store.list(name)
    end
    listed = {}
end

return M
