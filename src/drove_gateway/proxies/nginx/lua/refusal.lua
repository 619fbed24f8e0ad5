-- Error responses of the API; the codes are those of NGINX Plus's documentation.
local M = {}

local type_of_refusal = {}

-- Stop with an error response. It is caught where the request is answered.
function M.raise(status, code, text)
    error(setmetatable({ status = status, code = code, text = text }, type_of_refusal), 0)
end

function M.is(value)
    return getmetatable(value) == type_of_refusal
end

return M
