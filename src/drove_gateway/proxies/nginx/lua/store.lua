-- Upstreams in the shared dictionary: what all workers share and what outlives reloads.
--
--   v:NAME        version of an upstream: its revision times REVISION plus the changes of health
--   u:REVISION:NAME   the upstream itself, as a record
--   s:NAME        the configuration file that was loaded last lists this upstream
--   sequence, loads, format, generation, id
--
-- A revision is written beside the one before it, and takes effect when the version names it. That
-- is why a full dictionary leaves an upstream as it was: storing a longer value under the same key
-- would remove the old value before finding out that there is no room for the new one.
local record = require("drove_gateway.record")
local refusal = require("drove_gateway.refusal")
local upstreams = require("drove_gateway.upstream")

local M = {}

-- Raise it when what is stored changes: a dictionary of another format is emptied at the load.
local FORMAT = "2"
local REVISION = 1048576
local HEALTH_MOST = REVISION - 1024
-- In the flags of a version: a change was refused for lack of memory, so that the next file that
-- is loaded knows better.
local STALE = 1
local LOCK_SECONDS = 5
local LOCK_WAIT = 2
local LOCK_PAUSE = 0.001
local SPINS = 20000

local floor = math.floor
local dictionary = ngx.shared.drove_gateway
local counts = ngx.shared.drove_gateway_counts

local function out_of_memory(name)
    refusal.raise(400, "UpstreamOutOfMemory", 'no memory for upstream "' .. name ..
        '": the dictionary drove_gateway is full')
end

-- The version of an upstream, nil where there is none; a number, so that asking is cheap.
function M.version(name)
    return (dictionary:get("v:" .. name))
end

function M.revision(version)
    return floor(version / REVISION)
end

-- How often the health of servers changed since the revision.
function M.health_changes(version)
    return version % REVISION
end

-- The upstream of a revision, nil when a newer one has replaced it.
function M.read(name, revision)
    local text = dictionary:get("u:" .. revision .. ":" .. name)
    return text and record.decode(text)
end

-- The upstream as it is now, with its version; nil where there is none.
function M.current(name)
    for _ = 1, 5 do
        local version = M.version(name)
        if not version then
            return nil
        end
        local upstream = M.read(name, M.revision(version))
        if upstream then
            return upstream, version
        end
    end
    return nil
end

-- Let every worker read the health of an upstream's servers again.
function M.health_changed(name)
    local version = M.version(name)
    if version and version % REVISION < HEALTH_MOST then
        dictionary:incr("v:" .. name, 1)
    end
end

local function pause(waited)
    if ngx.get_phase() == "init" then
        return waited + LOCK_WAIT / SPINS
    end
    ngx.sleep(LOCK_PAUSE)
    return waited + LOCK_PAUSE
end

-- Writers of one upstream come one after the other. A worker that is killed while it writes leaves
-- its lock behind for LOCK_SECONDS.
local function lock(name)
    local token = ngx.worker.pid() .. ":" .. dictionary:incr("sequence", 1)
    local waited = 0
    while not counts:add("l:" .. name, token, LOCK_SECONDS) do
        if waited >= LOCK_WAIT then
            refusal.raise(503, "UpstreamBusy", 'upstream "' .. name .. '" is being written')
        end
        waited = pause(waited)
    end
    return token
end

local function unlock(name, token)
    if counts:get("l:" .. name) == token then
        counts:delete("l:" .. name)
    end
end

local function mark_stale(name, version)
    if version then
        dictionary:replace("v:" .. name, version, 0, STALE)
    end
end

local function save(name, upstream, before)
    local revision = dictionary:incr("sequence", 1)
    local key = "u:" .. revision .. ":" .. name
    if not dictionary:safe_add(key, record.encode(upstream)) then
        mark_stale(name, before)
        out_of_memory(name)
    end
    local version = revision * REVISION
    if not dictionary:safe_set("v:" .. name, version) then
        dictionary:delete(key)
        out_of_memory(name)
    end
    if before then
        dictionary:delete("u:" .. M.revision(before) .. ":" .. name)
    end
    return version
end

local function erase(name, version)
    dictionary:delete("v:" .. name)
    dictionary:delete("u:" .. M.revision(version) .. ":" .. name)
end

local function check_lock(name, token)
    if counts:get("l:" .. name) ~= token then
        refusal.raise(503, "UpstreamBusy", 'the lock of upstream "' .. name .. '" expired')
    end
end

local function changed(name, token, transition)
    local before, version = M.current(name)
    local after, result = transition(before)
    check_lock(name, token)
    if after then
        save(name, after, version)
    elseif version then
        erase(name, version)
    end
    return result
end

local function removed(name, token)
    check_lock(name, token)
    local version = M.version(name)
    if version then
        erase(name, version)
    end
end

local function with_lock(name, call, argument)
    local token = lock(name)
    local ok, result = pcall(call, name, token, argument)
    unlock(name, token)
    if not ok then
        error(result, 0)
    end
    return result
end

-- Replace an upstream by what `transition` makes of it: a function of the upstream, nil where there
-- is none, to the upstream, nil to remove it, and a result. Raises refusals; then nothing changed.
function M.change(name, transition)
    return with_lock(name, changed, transition)
end

function M.remove(name)
    with_lock(name, removed)
end

function M.new_upstream()
    return upstreams.new(dictionary:incr("sequence", 1))
end

local function names_with(prefix)
    local names = {}
    for _, key in ipairs(dictionary:get_keys(0)) do
        if string.sub(key, 1, 2) == prefix then
            names[#names + 1] = string.sub(key, 3)
        end
    end
    table.sort(names)
    return names
end

-- The names of all upstreams, in order.
function M.names()
    return names_with("v:")
end

-- The names that the file loaded last lists.
function M.listed_names()
    return names_with("s:")
end

function M.is_listed(name)
    return dictionary:get("s:" .. name) ~= nil
end

function M.list(name)
    dictionary:safe_add("s:" .. name, true)
end

function M.unlist(name)
    dictionary:delete("s:" .. name)
end

-- Whether the file that is being loaded is to be believed more than the dictionary.
function M.is_stale(name)
    local version, flags = dictionary:get("v:" .. name)
    return version ~= nil and flags == STALE
end

-- Prepare the dictionary for a configuration that is being loaded; returns whether it is another
-- one than before.
function M.load(generation)
    if dictionary:get("format") ~= FORMAT then
        dictionary:flush_all()
        dictionary:flush_expired()
        dictionary:set("format", FORMAT)
    end
    dictionary:safe_add("id", ngx.worker.pid() .. "-" .. ngx.now())
    dictionary:safe_add("sequence", 1)
    dictionary:safe_add("loads", 0)
    dictionary:incr("loads", 1)
    local before = dictionary:get("generation")
    dictionary:safe_set("generation", generation)
    return before ~= generation
end

function M.loads()
    return dictionary:get("loads") or 0
end

function M.generation()
    return dictionary:get("generation")
end

function M.memory()
    return {
        id = dictionary:get("id"), capacity = dictionary:capacity(),
        free = dictionary:free_space(),
    }
end

return M
