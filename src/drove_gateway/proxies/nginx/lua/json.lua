-- JSON. Debian's ngx_http_lua comes without cjson, so that the balancer brings its own.
local M = {}

local MOST_DEPTH = 16
local byte, char, find, format, gsub, sub =
    string.byte, string.char, string.find, string.format, string.gsub, string.sub
local concat = table.concat

M.null = setmetatable({}, { __tostring = function() return "null" end })
M.list_type = {}

-- A list, also when it is empty.
function M.list(items)
    return setmetatable(items or {}, M.list_type)
end

function M.is_list(value)
    return getmetatable(value) == M.list_type
end

function M.is_object(value)
    return type(value) == "table" and value ~= M.null and not M.is_list(value)
end

-- Control characters, quotes and backslashes; not DEL, which %c would include.
local SPECIAL = '[%z\1-\31"\\]'
local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape(character)
    return ESCAPES[character] or format("\\u%04x", byte(character))
end

local function quote(text)
    if find(text, SPECIAL) then
        text = gsub(text, SPECIAL, escape)
    end
    return '"' .. text .. '"'
end

local encode_into

local function encode_list(out, value)
    out[#out + 1] = "["
    for index = 1, #value do
        if index > 1 then
            out[#out + 1] = ","
        end
        encode_into(out, value[index])
    end
    out[#out + 1] = "]"
end

local function encode_object(out, value)
    local separator = "{"
    for name, item in pairs(value) do
        out[#out + 1] = separator
        out[#out + 1] = quote(tostring(name))
        out[#out + 1] = ":"
        encode_into(out, item)
        separator = ","
    end
    out[#out + 1] = separator == "{" and "{}" or "}"
end

function encode_into(out, value)
    local kind = type(value)
    if kind == "string" then
        out[#out + 1] = quote(value)
    elseif kind == "number" then
        out[#out + 1] = format(value % 1 == 0 and "%d" or "%.14g", value)
    elseif kind == "boolean" or value == M.null then
        out[#out + 1] = tostring(value)
    elseif M.is_list(value) then
        encode_list(out, value)
    else
        encode_object(out, value)
    end
end

function M.encode(value)
    local out = {}
    encode_into(out, value)
    return concat(out)
end

local decode_value

local function fail(text, at)
    error({ json = format("%s at byte %d", text, at) }, 0)
end

local function skip(text, at)
    return find(text, "[^ \t\r\n]", at) or #text + 1
end

local function utf8(code)
    if code < 0x80 then
        return char(code)
    elseif code < 0x800 then
        return char(0xc0 + math.floor(code / 64), 0x80 + code % 64)
    elseif code < 0x10000 then
        return char(0xe0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64,
            0x80 + code % 64)
    end
    return char(0xf0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
        0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local function hexadecimal(text, at)
    local digits = string.match(text, "^%x%x%x%x", at)
    if not digits then
        fail("invalid \\u escape", at)
    end
    return tonumber(digits, 16)
end

local function decode_unicode(text, at)
    local code = hexadecimal(text, at)
    if code >= 0xd800 and code < 0xdc00 and sub(text, at + 4, at + 5) == "\\u" then
        local low = hexadecimal(text, at + 6)
        if low >= 0xdc00 and low < 0xe000 then
            return utf8(0x10000 + (code - 0xd800) * 1024 + low - 0xdc00), at + 10
        end
    end
    if code >= 0xd800 and code < 0xe000 then
        fail("lone surrogate", at)
    end
    return utf8(code), at + 4
end

local UNESCAPED = {
    ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
}

local function decode_string(text, at)
    local parts = {}
    while true do
        local stop = find(text, SPECIAL, at)
        if not stop then
            fail("unterminated string", #text)
        end
        parts[#parts + 1] = sub(text, at, stop - 1)
        local character = sub(text, stop, stop)
        if character == '"' then
            return #parts == 1 and parts[1] or concat(parts), stop + 1
        elseif character ~= "\\" then
            fail("control character in a string", stop)
        end
        local escaped = sub(text, stop + 1, stop + 1)
        if escaped == "u" then
            parts[#parts + 1], at = decode_unicode(text, stop + 2)
        elseif UNESCAPED[escaped] then
            parts[#parts + 1], at = UNESCAPED[escaped], stop + 2
        else
            fail("invalid escape", stop)
        end
    end
end

local function decode_number(text, at)
    local digits = string.match(text, "^-?%d+%.?%d*[eE]?[+-]?%d*", at)
    local plain = digits and string.match(digits, "^-?(%d+)")
    local value = digits and tonumber(digits)
    if not value or (#plain > 1 and byte(plain) == 48) or find(digits, "%.$") or
        find(digits, "%.[eE]") or value ~= value or math.abs(value) == math.huge then
        fail("invalid number", at)
    end
    return value, at + #digits
end

local function decode_list(text, at, depth)
    local items, count = M.list(), 0
    at = skip(text, at)
    if byte(text, at) == 93 then
        return items, at + 1
    end
    while true do
        count = count + 1
        items[count], at = decode_value(text, at, depth)
        at = skip(text, at)
        local separator = byte(text, at)
        if separator == 93 then
            return items, at + 1
        elseif separator ~= 44 then
            fail("a comma or ] is missing", at)
        end
        at = at + 1
    end
end

local function decode_object(text, at, depth)
    local object = {}
    at = skip(text, at)
    if byte(text, at) == 125 then
        return object, at + 1
    end
    while true do
        at = skip(text, at)
        if byte(text, at) ~= 34 then
            fail("a name is missing", at)
        end
        local name
        name, at = decode_string(text, at + 1)
        at = skip(text, at)
        if byte(text, at) ~= 58 then
            fail("a colon is missing", at)
        end
        object[name], at = decode_value(text, at + 1, depth)
        at = skip(text, at)
        local separator = byte(text, at)
        if separator == 125 then
            return object, at + 1
        elseif separator ~= 44 then
            fail("a comma or a closing brace is missing", at)
        end
        at = at + 1
    end
end

local WORDS = { t = { "true", true }, f = { "false", false }, n = { "null", M.null } }

function decode_value(text, at, depth)
    if depth > MOST_DEPTH then
        fail("nested too deeply", at)
    end
    at = skip(text, at)
    local first = sub(text, at, at)
    if first == '"' then
        return decode_string(text, at + 1)
    elseif first == "{" then
        return decode_object(text, at + 1, depth + 1)
    elseif first == "[" then
        return decode_list(text, at + 1, depth + 1)
    end
    local word = WORDS[first]
    if word and sub(text, at, at + #word[1] - 1) == word[1] then
        return word[2], at + #word[1]
    end
    return decode_number(text, at)
end

-- The value, or nil and what is wrong. A null is M.null.
function M.decode(text)
    local ok, value, at = pcall(decode_value, text, 1, 0)
    if not ok then
        if type(value) == "table" and value.json then
            return nil, value.json
        end
        error(value, 0)
    end
    at = skip(text, at)
    if at <= #text then
        return nil, format("more than one value at byte %d", at)
    end
    return value
end

return M
