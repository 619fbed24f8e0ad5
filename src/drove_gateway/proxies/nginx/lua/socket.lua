-- The Unix socket of the API. An NGINX that is killed leaves it behind, and the next would not start:
-- it does not listen at a path that exists. The file is loaded before NGINX begins to listen.
local ffi = require("ffi")

local M = {}

ffi.cdef([[
struct drove_gateway_address { unsigned short family; char path[108]; };
int socket(int domain, int type, int protocol);
int connect(int fd, const struct drove_gateway_address *address, unsigned int size);
int close(int fd);
int unlink(const char *path);
]])
local AF_UNIX, SOCK_STREAM, SOCK_NONBLOCK = 1, 1, 2048
local ENXIO, ECONNREFUSED = 6, 111
local MOST_PATH = 107

-- A socket cannot be opened as a file.
local function is_socket(path)
    local file, _, code = io.open(path)
    if file then
        file:close()
    end
    return not file and code == ENXIO
end

local function is_refused(path)
    local fd = ffi.C.socket(AF_UNIX, SOCK_STREAM + SOCK_NONBLOCK, 0)
    if fd < 0 then
        return false
    end
    local address = ffi.new("struct drove_gateway_address", AF_UNIX)
    ffi.copy(address.path, path)
    local result = ffi.C.connect(fd, address, ffi.sizeof(address))
    local refused = result ~= 0 and ffi.errno() == ECONNREFUSED
    ffi.C.close(fd)
    return refused
end

-- Remove the socket at `path` if nobody listens there. Anything else at `path` stays.
function M.remove_stale(path)
    if #path <= MOST_PATH and is_socket(path) and is_refused(path) then
        ffi.C.unlink(path)
    end
end

return M
