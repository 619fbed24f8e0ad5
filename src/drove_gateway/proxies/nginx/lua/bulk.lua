-- Many upstreams in one call:
--
--   {"new_servers": {PARAMETERS}, "upstreams": {NAME: CHANGE, …}}
--   CHANGE: null removes the upstream;
--           {"servers": [SERVER, …]} replaces its servers, and creates it where it is missing;
--           {"add": [SERVER, …], "change": [SERVER, …], "remove": [ADDRESS, …]} changes some, and
--           creates the upstream where it is missing and servers are added;
--           with both, "method": "round_robin" or "least_conn", and "routed": true or false:
--           whether the default server serves it under its name.
--
-- Every upstream is changed as a whole or not at all, and has its own result:
-- {"servers": [SERVER, …]}, as it has them now, or {"error": {status, code, text}}. One bad upstream
-- stops no other.
--
-- "new_servers" is optional. With it, servers to be added may be addresses alone, which get these
-- parameters, and results list as "ID ADDRESS" each server that has these and no others.
local json = require("drove_gateway.json")
local parameters = require("drove_gateway.parameters")
local refusal = require("drove_gateway.refusal")
local store = require("drove_gateway.store")
local upstreams = require("drove_gateway.upstream")
local view = require("drove_gateway.view")

local M = {}

local AT_A_TIME = 100
-- In seconds; NGINX without OpenResty's patches warns of a pause of 0 in its log.
local PAUSE = 0.001
local MOST_NAME = 255
local LISTS = { "servers", "add", "change", "remove" }
local KNOWN = { servers = true, add = true, change = true, remove = true, method = true,
    routed = true }

local function malformed(text)
    refusal.raise(400, "UpstreamConfFormatError", text)
end

local function check(change)
    if not json.is_object(change) then
        malformed("a change is an object or null")
    end
    for name in pairs(change) do
        if not KNOWN[name] then
            malformed('unknown field "' .. name .. '"')
        end
    end
    for _, name in ipairs(LISTS) do
        if change[name] ~= nil and not json.is_list(change[name]) then
            malformed('"' .. name .. '" is a list')
        end
    end
    if change.servers and (change.add or change.change or change.remove) then
        malformed('"servers" replaces all servers, and cannot be combined with single changes')
    end
end

local function remove(name)
    if view.did_not_fit(name) then
        refusal.raise(400, "UpstreamStatic",
            'upstream "' .. name .. '" did not fit into the dictionary; it goes with the next load')
    end
    store.remove(name)
    return json.null
end

local function transition(name, change, now, fresh)
    return function(upstream)
        upstream = upstream or view.copy_from_file(name)
        if not upstream then
            if not change.servers and not change.add then
                refusal.raise(404, "UpstreamNotFound", 'upstream "' .. name .. '" not found')
            end
            upstream = store.new_upstream()
        end
        upstreams.configure(upstream, change.method, change.routed)
        if change.servers then
            upstreams.replace(upstream, change.servers, now)
        else
            upstreams.patch(upstream, change.add or {}, change.change or {}, change.remove or {},
                now, fresh)
        end
        return upstream, { servers = upstreams.shown(upstream, fresh) }
    end
end

local function apply(name, change, now, fresh)
    if name == "" or #name > MOST_NAME or string.find(name, "[^%w%._:@+*-]") then
        malformed('invalid name of an upstream "' .. name .. '"')
    end
    if change == json.null then
        return remove(name)
    end
    check(change)
    return store.change(name, transition(name, change, now, fresh))
end

local function outcome(name, change, now, fresh)
    local ok, result = pcall(apply, name, change, now, fresh)
    if ok then
        return result
    elseif refusal.is(result) then
        return { error = { status = result.status, code = result.code, text = result.text } }
    end
    ngx.log(ngx.ERR, "drove-gateway: upstream ", name, ": ", tostring(result))
    return { error = { status = 500, code = "InternalError", text = "see NGINX's error log" } }
end

-- Apply a body; returns each upstream's result.
function M.apply(body)
    if not json.is_object(body) or not json.is_object(body.upstreams) then
        malformed('an object with "upstreams" is expected')
    end
    local fresh = body.new_servers and parameters.fresh(body.new_servers)
    local results, number, now = {}, 0, ngx.now() * 1000
    for name, change in pairs(body.upstreams) do
        results[name] = outcome(name, change, now, fresh)
        number = number + 1
        if number % AT_A_TIME == 0 then
            ngx.sleep(PAUSE)
        end
    end
    return { upstreams = results }
end

return M
