-- The admin location: NGINX Plus's API for upstreams, the bulk route and the handshake.
local bulk = require("drove_gateway.bulk")
local json = require("drove_gateway.json")
local parameters = require("drove_gateway.parameters")
local refusal = require("drove_gateway.refusal")
local status = require("drove_gateway.status")
local store = require("drove_gateway.store")
local upstreams = require("drove_gateway.upstream")
local view = require("drove_gateway.view")

local M = {}

-- `drain` came with version 2; nothing that is served here changed since.
local OLDEST, NEWEST = 2, 9
local ENDPOINTS = { "nginx", "http" }
local HREF = "https://nginx.org/en/docs/http/ngx_http_api_module.html"

local function not_found()
    refusal.raise(404, "PathNotFound", "path not found")
end

local function allow(...)
    for _, method in ipairs({ ... }) do
        if ngx.req.get_method() == method then
            return method
        end
    end
    refusal.raise(405, "MethodDisabled", "method disabled")
end

local function body()
    ngx.req.read_body()
    local text = ngx.req.get_body_data()
    if not text and ngx.req.get_body_file() then
        refusal.raise(413, "BodyTooLarge", "client_body_buffer_size is too small for this body")
    end
    local value, problem = json.decode(text or "")
    if value == nil then
        refusal.raise(415, "JsonError", "JSON error: " .. problem)
    end
    return value
end

local function current(name)
    local upstream, version = view.current(name)
    if not upstream then
        refusal.raise(404, "UpstreamNotFound", 'upstream "' .. name .. '" not found')
    end
    return upstream, version
end

-- Change an upstream that exists; `apply` returns what the response shows.
local function change(name, apply)
    return store.change(name, function(upstream)
        upstream = upstream or view.copy_from_file(name)
        if not upstream then
            refusal.raise(404, "UpstreamNotFound", 'upstream "' .. name .. '" not found')
        end
        local result = apply(upstream, ngx.now() * 1000)
        return upstream, result
    end)
end

local function shown_server(server)
    return parameters.shown(server)
end

local function servers(name)
    if allow("GET", "POST") == "GET" then
        local upstream = current(name)
        return 200, upstreams.shown(upstream)
    end
    current(name)
    local object = body()
    return 201, change(name, function(upstream, now)
        return shown_server(upstreams.add(upstream, object, now))
    end)
end

local function server(name, text)
    local method = allow("GET", "PATCH", "DELETE")
    local upstream = current(name)
    local id = upstreams.server_id(text)
    if method == "GET" then
        return 200, shown_server(upstreams.find(upstream, id))
    elseif method == "DELETE" then
        return 200, change(name, function(now_current)
            upstreams.remove(now_current, id)
            return upstreams.shown(now_current)
        end)
    end
    upstreams.find(upstream, id)
    local object = body()
    return 200, change(name, function(now_current, now)
        return shown_server(upstreams.change(now_current, id, object, now))
    end)
end

local function only_fields(value)
    local stated = ngx.var.arg_fields
    if not stated then
        return value
    end
    local picked = {}
    for name in string.gmatch(ngx.unescape_uri(stated), "[^,]+") do
        picked[name] = value[name]
    end
    return picked
end

local function all_upstreams()
    allow("GET")
    local all = status.upstreams()
    for name, upstream in pairs(all) do
        all[name] = only_fields(upstream)
    end
    return 200, all
end

local function http(path)
    local name = path[4]
    if path[3] ~= "upstreams" or #path > 6 then
        not_found()
    elseif not name then
        return all_upstreams()
    elseif not path[5] then
        allow("GET")
        return 200, only_fields(status.upstream(name, current(name)))
    elseif path[5] ~= "servers" then
        not_found()
    elseif not path[6] then
        return servers(name)
    end
    return server(name, path[6])
end

local function plus(path)
    if not path[1] then
        allow("GET")
        local versions = json.list()
        for version = OLDEST, NEWEST do
            versions[#versions + 1] = version
        end
        return 200, versions
    end
    local version = string.find(path[1], "^%d$") and tonumber(path[1])
    if not version or version < OLDEST or version > NEWEST then
        refusal.raise(404, "UnknownVersion", "unknown version")
    elseif not path[2] then
        allow("GET")
        return 200, json.list(ENDPOINTS)
    elseif path[2] == "nginx" and not path[3] then
        allow("GET")
        return 200, only_fields(status.identity())
    elseif path[2] == "http" then
        return http(path)
    end
    not_found()
end

local function own(path)
    if not path[1] then
        allow("GET")
        return 200, status.balancer()
    elseif path[1] == "upstreams" and not path[2] then
        allow("POST")
        return 200, bulk.apply(body())
    elseif path[1] == "upstreams" and not path[3] then
        allow("GET")
        return 200, status.details(current(path[2]))
    end
    not_found()
end

-- The parts of the path, each unescaped by itself: a name may contain an escaped slash.
local function parts()
    local found = {}
    for part in string.gmatch(string.match(ngx.var.request_uri, "^[^?]*"), "[^/]+") do
        found[#found + 1] = ngx.unescape_uri(part)
    end
    return table.remove(found, 1), found
end

-- A vhost whose servers are this address would let everyone in: such requests were forwarded.
local function is_local()
    local client = ngx.var.remote_addr
    if ngx.var.http_x_forwarded_for then
        return false
    end
    return client == "unix:" or client == "::1" or string.find(client, "^127%.") ~= nil
end

local function answer()
    if not is_local() then
        refusal.raise(403, "Forbidden", "only for clients on this machine")
    end
    local root, path = parts()
    if root == "api" then
        return plus(path)
    elseif root == "drove-gateway" then
        return own(path)
    end
    not_found()
end

local function refused(problem)
    if not refusal.is(problem) then
        ngx.log(ngx.ERR, "drove-gateway: ", ngx.var.request_uri, ": ", tostring(problem))
        problem = { status = 500, code = "InternalError", text = "see NGINX's error log" }
    end
    return problem.status, {
        error = { status = problem.status, text = problem.text, code = problem.code },
        request_id = ngx.var.request_id, href = HREF,
    }
end

-- content_by_lua of the admin server.
function M.serve()
    local ok, code, value = pcall(answer)
    if not ok then
        code, value = refused(code)
    end
    local text = json.encode(value)
    ngx.status = code
    ngx.header.content_type = "application/json"
    ngx.header.content_length = #text
    ngx.print(text)
end

return M
