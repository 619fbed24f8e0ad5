-- Running requests of each server. Every worker counts its own, under its process id, so that what
-- a killed worker had counted does not stay.
--
--   w:SLOT  process id of a worker     t:SLOT:PID  who takes the slot of the killed worker PID
--   a:PID:UID  running requests that this worker sends to UID
local ffi = require("ffi")

local M = {}

ffi.cdef([[int kill(int pid, int sig); int getppid(void);]])
local ESRCH = 3
local SLOTS = 256
-- Of several workers that start at once, only the first takes the slot of a killed worker.
local TAKEOVER_SECONDS = 60
local counts = ngx.shared.drove_gateway_counts
local slot
local pid
-- What this worker knows of each server, by uid.
local loads = {}

local function is_alive(process)
    return ffi.C.kill(process, 0) == 0 or ffi.errno() ~= ESRCH
end

-- The process ids of all workers that live, also those that are leaving after a reload.
function M.workers()
    local found = {}
    for number = 1, SLOTS do
        local process = counts:get("w:" .. number)
        if process and is_alive(process) then
            found[#found + 1] = process
        end
    end
    return found
end

-- Take a slot. Returns the process id of a killed worker that had it, for `forget_worker`.
function M.start()
    pid = ngx.worker.pid()
    for number = 1, SLOTS do
        local holder = counts:get("w:" .. number)
        if not holder and counts:add("w:" .. number, pid) then
            slot = number
            return nil
        elseif holder and not is_alive(holder) and
            counts:add("t:" .. number .. ":" .. holder, pid, TAKEOVER_SECONDS) then
            slot = number
            counts:set("w:" .. number, pid)
            return holder
        end
    end
    return nil
end

-- Keep this worker's slot from being the entry that was used least recently: a full dictionary
-- drops such entries.
function M.touch()
    if slot then
        counts:set("w:" .. slot, pid)
    end
end

function M.forget_worker(process, uids)
    for _, uid in ipairs(uids) do
        counts:delete("a:" .. process .. ":" .. uid)
    end
end

-- A worker that leaves takes its counts along.
function M.stop()
    for _, load in pairs(loads) do
        counts:delete(load.key)
    end
    if slot and counts:get("w:" .. slot) == pid then
        counts:delete("w:" .. slot)
    end
end

function M.load(uid)
    local load = loads[uid]
    if not load then
        load = {
            uid = uid, key = "a:" .. pid .. ":" .. uid,
            active = 0, current = math.random(), blocked = 0, gone = false,
        }
        loads[uid] = load
    end
    load.gone = false
    return load
end

-- The server left its upstream. What still runs is counted until it ends.
function M.leave(load)
    load.gone = true
    if load.active == 0 then
        counts:delete(load.key)
        loads[load.uid] = nil
    end
end

function M.begin(load)
    load.active = load.active + 1
    counts:incr(load.key, 1, 0)
end

function M.finish(load)
    load.active = load.active - 1
    counts:incr(load.key, -1)
    if load.gone and load.active == 0 then
        M.leave(load)
    end
end

-- Running requests of a server in all workers.
function M.active(uid, workers)
    local total = 0
    for _, process in ipairs(workers) do
        total = total + (counts:get("a:" .. process .. ":" .. uid) or 0)
    end
    return math.max(total, 0)
end

function M.master()
    return ffi.C.getppid()
end

return M
