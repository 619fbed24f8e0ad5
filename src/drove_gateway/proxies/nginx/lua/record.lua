-- An upstream as text in the shared dictionary. Workers read it with each change, so that reading
-- must be cheap: a line for the upstream, and a line for each server.
--
--   EPOCH NEXT METHOD ROUTED        method "-" is round robin; routed is 1 or 0
--   ID SINCE ADDRESS[ NAME=VALUE]*  parameters that differ from the defaults, times in milliseconds
local json = require("drove_gateway.json")

local M = {}

local NAMES = { "weight", "max_conns", "max_fails", "fail_timeout", "slow_start", "backup", "down",
    "drain" }
-- Most servers have the same parameters: what was read of a text is kept, up to so many texts.
local MOST_READ = 1000
local read, number_read = {}, 0

local concat, find, format, gmatch, match =
    table.concat, string.find, string.format, string.gmatch, string.match

-- The text of a time or a count, exact up to microseconds of this century.
local function number(value)
    return value % 1 == 0 and format("%d", value) or format("%.17g", value)
end

local function line(server)
    local parts = { number(server.id), server.since and number(server.since) or "-", server.server }
    for index = 1, #NAMES do
        local name = NAMES[index]
        local value = server[name]
        if value ~= nil then
            parts[#parts + 1] = name .. "=" .. (value == true and "true" or number(value))
        end
    end
    return concat(parts, " ")
end

function M.encode(upstream)
    local lines = { concat({ number(upstream.epoch), number(upstream.next),
        upstream.method or "-", upstream.routed and "1" or "0" }, " ") }
    for index, server in ipairs(upstream.servers) do
        lines[index + 1] = line(server)
    end
    return concat(lines, "\n")
end

local function parameters(text)
    local found = read[text]
    if found then
        return found
    elseif number_read >= MOST_READ then
        read, number_read = {}, 0
    end
    found = {}
    for name, value in gmatch(text, "(%S+)=(%S+)") do
        found[#found + 1] = { name, value == "true" or tonumber(value) }
    end
    read[text], number_read = found, number_read + 1
    return found
end

local function server(text)
    local id, since, address, rest = match(text, "^(%S+) (%S+) (%S+)(.*)$")
    local decoded = { id = tonumber(id), since = tonumber(since), server = address }
    local found = parameters(rest)
    for index = 1, #found do
        decoded[found[index][1]] = found[index][2]
    end
    return decoded
end

function M.decode(text)
    local first = find(text, "\n", 1, true)
    local epoch, next_id, method, routed =
        match(text, "^(%S+) (%S+) (%S+) (%S+)")
    local servers = json.list()
    if first then
        for each in gmatch(text:sub(first + 1), "[^\n]+") do
            servers[#servers + 1] = server(each)
        end
    end
    return {
        epoch = tonumber(epoch), next = tonumber(next_id), method = method ~= "-" and method or nil,
        routed = routed == "1" or nil, servers = servers,
    }
end

return M
