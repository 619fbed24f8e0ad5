-- The parameters of a server: their rules, their defaults, and how the API shows them.
-- A server in memory has only what differs from the defaults; durations are milliseconds.
local address = require("drove_gateway.address")
local json = require("drove_gateway.json")
local refusal = require("drove_gateway.refusal")

local M = {}

M.defaults = {
    weight = 1, max_conns = 0, max_fails = 1, fail_timeout = 10000, slow_start = 0,
    backup = false, down = false, drain = false,
}

local NUMBERS = {
    weight = { least = 1, code = "UpstreamBadWeight" },
    max_conns = { least = 0, code = "UpstreamBadMaxConns" },
    max_fails = { least = 0, code = "UpstreamBadMaxFails" },
}
local DURATIONS = { fail_timeout = "UpstreamBadFailTimeout", slow_start = "UpstreamBadSlowStart" }
local FLAGS = { backup = true, down = true, drain = true }
local MOST_NUMBER = 65535
-- A name or a route would be accepted without effect: there is no resolver and no stickiness.
local UNSUPPORTED = { route = true, service = true }

local function malformed(text)
    refusal.raise(400, "UpstreamConfFormatError", text)
end

local function number(name, value)
    local rule = NUMBERS[name]
    if type(value) ~= "number" or value % 1 ~= 0 or value < rule.least or value > MOST_NUMBER then
        refusal.raise(400, rule.code, 'invalid "' .. name .. '" value "' .. tostring(value) .. '"')
    end
    return value
end

local function duration(name, value)
    local milliseconds = address.milliseconds(value)
    if not milliseconds then
        refusal.raise(400, DURATIONS[name],
            'invalid "' .. name .. '" value "' .. tostring(value) .. '"')
    end
    return milliseconds
end

local function checked(name, value)
    if type(value) == "table" then
        if value == json.null then
            malformed('null in "' .. name .. '"')
        end
        malformed('nested object or list in "' .. name .. '"')
    elseif name == "server" then
        return address.normal(value)
    elseif NUMBERS[name] then
        return number(name, value)
    elseif DURATIONS[name] then
        return duration(name, value)
    elseif FLAGS[name] then
        if type(value) ~= "boolean" then
            malformed('invalid "' .. name .. '" value')
        end
        return value
    elseif UNSUPPORTED[name] then
        if value ~= "" then
            malformed('"' .. name .. '" is not supported by this balancer')
        end
        return nil
    end
    malformed('unknown parameter "' .. name .. '"')
end

-- The parameters that an object of the API states, in memory's form. Raises a refusal.
-- `fixed` has the names that cannot be stated here.
function M.read(object, fixed)
    if not json.is_object(object) then
        refusal.raise(415, "JsonError", "JSON error: an object is expected")
    end
    local read = {}
    for name, value in pairs(object) do
        if fixed and fixed[name] then
            malformed('"' .. name .. '" cannot be changed')
        end
        read[name] = checked(name, value)
    end
    return read
end

-- Take over parameters, without those that are defaults.
function M.assign(server, parameters)
    for name, value in pairs(parameters) do
        if M.defaults[name] == value then
            server[name] = nil
        else
            server[name] = value
        end
    end
    return server
end

function M.value(server, name)
    local value = server[name]
    if value == nil then
        return M.defaults[name]
    end
    return value
end

-- The parameters of new servers that an object states. Raises a refusal.
function M.fresh(object)
    if json.is_object(object) and object.server ~= nil then
        malformed('"server" cannot be the same for all')
    end
    return M.read(object)
end

-- The same for a server at an address.
function M.at(text, fresh)
    local read = { server = address.normal(text) }
    for name, value in pairs(fresh) do
        read[name] = value
    end
    return read
end

-- Whether a server has these parameters and no others.
function M.is_fresh(server, fresh)
    for name, default in pairs(M.defaults) do
        local expected, value = fresh[name], server[name]
        if expected == nil then
            expected = default
        end
        if value == nil then
            value = default
        end
        if value ~= expected then
            return false
        end
    end
    return true
end

-- A server as the API shows it.
function M.shown(server)
    local shown = { id = server.id, server = server.server, route = "" }
    for name, default in pairs(M.defaults) do
        local value = server[name]
        if value == nil then
            value = default
        end
        shown[name] = DURATIONS[name] and address.shown(value) or value
    end
    shown.drain = server.drain or nil
    return shown
end

return M
