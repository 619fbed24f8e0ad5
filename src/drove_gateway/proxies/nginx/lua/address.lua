-- Addresses of servers and durations, as NGINX writes them.
local refusal = require("drove_gateway.refusal")

local M = {}

local MOST_UNIX_PATH = 107
local UNITS = { ms = 1, [""] = 1000, s = 1000, m = 60000, h = 3600000, d = 86400000 }
local MOST_MILLISECONDS = 2147483647

local function bad(text)
    refusal.raise(400, "UpstreamBadAddress", text)
end

local function ipv4(host)
    local parts = { string.match(host, "^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
    if #parts ~= 4 then
        return nil
    end
    for index, part in ipairs(parts) do
        local number = tonumber(part)
        if number > 255 or #part > 3 or (#part > 1 and string.sub(part, 1, 1) == "0") then
            return nil
        end
        parts[index] = number
    end
    return parts
end

local function append_groups(groups, text)
    if text == "" then
        return true
    end
    for group in string.gmatch(text .. ":", "([^:]*):") do
        local tail = ipv4(group)
        if tail then
            groups[#groups + 1] = tail[1] * 256 + tail[2]
            groups[#groups + 1] = tail[3] * 256 + tail[4]
        elseif string.find(group, "^%x%x?%x?%x?$") then
            groups[#groups + 1] = tonumber(group, 16)
        else
            return false
        end
    end
    return true
end

local function ipv6_groups(text)
    local head, tail = string.match(text, "^(.-)::(.*)$")
    local groups, rest = {}, {}
    if not append_groups(groups, head or text) or not append_groups(rest, tail or "") then
        return nil
    end
    local missing = 8 - #groups - #rest
    if (head and missing < 1) or (not head and missing ~= 0) then
        return nil
    end
    for _ = 1, missing do
        groups[#groups + 1] = 0
    end
    for _, group in ipairs(rest) do
        groups[#groups + 1] = group
    end
    return groups
end

-- The longest run of two or more zero groups, as RFC 5952 shortens it.
local function longest_zeros(groups)
    local best, best_length, start = 0, 1, nil
    for index = 1, 9 do
        if groups[index] == 0 then
            start = start or index
        elseif start then
            if index - start > best_length then
                best, best_length = start, index - start
            end
            start = nil
        end
    end
    return best, best_length
end

local function ipv6(text)
    local groups = ipv6_groups(text)
    if not groups then
        return nil
    end
    local zeros, length = longest_zeros(groups)
    local shown = {}
    for index, group in ipairs(groups) do
        shown[index] = string.format("%x", group)
    end
    if zeros == 0 then
        return table.concat(shown, ":")
    end
    return table.concat(shown, ":", 1, zeros - 1) .. "::" ..
        table.concat(shown, ":", zeros + length)
end

local function split(text)
    if string.sub(text, 1, 1) == "[" then
        local inside, port = string.match(text, "^%[([^%]]*)%]:(%d+)$")
        inside = inside or string.match(text, "^%[([^%]]*)%]$")
        local host = inside and ipv6(inside)
        if not host then
            bad('invalid IPv6 address in "' .. text .. '"')
        end
        return "[" .. host .. "]", port or "80"
    end
    local host, port = string.match(text, "^([%w%._-]+):(%w*)$")
    host = host or string.match(text, "^[%w%._-]+$")
    if not host then
        bad('invalid address "' .. text .. '"')
    end
    if not ipv4(host) then
        refusal.raise(400, "UpstreamConfNoResolver",
            'no resolver defined to resolve "' .. text .. '"')
    end
    return host, port or "80"
end

-- An address in its one spelling: 10.0.0.1:80, [::1]:80 or unix:/path. Raises a refusal.
function M.normal(text)
    if type(text) ~= "string" then
        bad("an address is a string")
    end
    if string.sub(text, 1, 5) == "unix:" then
        if not string.find(text, "^unix:/[%w%._/@+-]+$") or #text - 5 > MOST_UNIX_PATH then
            bad('invalid path of a socket in "' .. text .. '"')
        end
        return text
    end
    local host, port = split(text)
    local number = string.find(port, "^%d+$") and tonumber(port)
    if not number or number < 1 or number > 65535 then
        bad('invalid port in "' .. text .. '"')
    end
    return host .. ":" .. string.format("%d", number)
end

-- Host and port of an address that is spelled as M.normal does; a socket has no port.
function M.parts(normal)
    if string.sub(normal, 1, 5) == "unix:" then
        return normal, nil
    end
    local host, port = string.match(normal, "^(.*):(%d+)$")
    return host, tonumber(port)
end

-- Milliseconds of "10s", "1m 30s" or "500ms"; nil where it is not a duration.
function M.milliseconds(text)
    if type(text) ~= "string" or not string.find(text, "^%d") then
        return nil
    end
    local total, rest = 0, text
    while rest ~= "" do
        local digits, unit, after = string.match(rest, "^(%d+)(%a*) ?(.*)$")
        if not digits or not UNITS[unit] then
            return nil
        end
        total, rest = total + tonumber(digits) * UNITS[unit], after
    end
    return total <= MOST_MILLISECONDS and total or nil
end

-- A duration as the API shows it.
function M.shown(milliseconds)
    if milliseconds % 1000 == 0 then
        return string.format("%ds", milliseconds / 1000)
    end
    return string.format("%dms", milliseconds)
end

return M
