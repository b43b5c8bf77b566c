-- What scripts see of Lua: the globals of Redis 7, none of which can be changed.
--
-- Lua 5.1 has no read-only tables. A table that scripts must not change is an empty table here, whose metatable reads from
-- the real one and refuses to write (`protect`). The functions that would go around a metatable are replaced.
--
-- Functions in Rust raise no errors of their own: they return whether they succeeded, and then the result or the error,
-- which the functions of this file raise at the line of the script that called. A function in Rust gets few values at once,
-- since each takes one of a limited number of places: many travel in a table.

local raw = ...

local error, select, unpack, type, tostring, next = error, select, unpack, type, tostring, next
local raw_pairs, raw_setmetatable, raw_rawset, setfenv = pairs, setmetatable, rawset, setfenv
local raw_loadstring, xpcall, concat = loadstring, xpcall, table.concat

local READONLY = 'Attempt to modify a readonly table'
local FEW = 64

-- From what scripts hold to the real table.
local protected = raw_setmetatable({}, {__mode = 'k'})

local function deny()
    error(READONLY, 2)
end

local function protect(real)
    local face = {}
    protected[face] = real
    local meta = {__index = real, __newindex = deny}
    local shown = {}
    meta.__metatable = raw_setmetatable({}, {__index = shown, __newindex = deny, __metatable = false})
    protected[meta.__metatable] = shown
    return raw_setmetatable(face, meta), meta
end

local function is_protected(value)
    return protected[value] ~= nil
end

-- One result, and the error of the caller's line.
local function one(f)
    return function(...)
        local ok, value
        if select('#', ...) <= FEW then
            ok, value = f(...)
        else
            local a, b, c, d, e = ...
            ok, value = f(a, b, c, d, e)
        end
        if ok then return value end
        error(value, 2)
    end
end

-- An operation on any number of operands, of which it takes some and then the others.
local function folding(f)
    return function(...)
        local ok, value
        local count = select('#', ...)
        if count <= FEW then
            ok, value = f(...)
        else
            local operands = {...}
            ok, value = f(operands[1])
            for i = 2, count do
                if not ok then break end
                ok, value = f(value, operands[i])
            end
        end
        if ok then return value end
        error(value, 2)
    end
end

-- Any number of arguments, which travel in a table; the error names no line.
local function plain(f)
    return function(...)
        local ok, value = f({...}, select('#', ...))
        if ok then return value end
        error(value, 0)
    end
end

-- Any number of arguments, which travel in a table.
local function packing(f)
    return function(...)
        local ok, value = f({...}, select('#', ...))
        if ok then return value end
        error(value, 2)
    end
end

-- Any number of results, which travel in a table.
local function unpacking(f)
    return function(...)
        local a, b, c, d, e = ...
        local ok, values, count = f(select('#', ...), a, b, c, d, e)
        if ok then return unpack(values, 1, count) end
        error(values, 2)
    end
end

local function wrapped(functions, wrap, into)
    for name, f in raw_pairs(functions) do
        into[name] = wrap(f)
    end
    return into
end

-- Commands.

local function send(...)
    local count = select('#', ...)
    if count <= FEW then return raw.call(...) end
    local values = {...}
    for first = 1, count, FEW do
        local last = first + FEW - 1
        if last > count then last = count end
        local failed, reply = raw.push(unpack(values, first, last))
        if failed then return failed, reply end
    end
    return raw.call()
end

local function call(...)
    local failed, reply = send(...)
    if failed then error(reply, 0) end
    return reply
end

local function pcall_command(...)
    local _, reply = send(...)
    return reply
end

-- The globals.

local function readonly_pairs(t)
    local real = protected[t]
    if real == nil then return raw_pairs(t) end
    local copy = {}
    for name, value in raw_pairs(real) do copy[name] = value end
    return next, copy, nil
end

local function readonly_setmetatable(t, metatable)
    if is_protected(t) then error(READONLY, 0) end
    return raw_setmetatable(t, metatable)
end

local function readonly_rawset(t, name, value)
    if is_protected(t) then error(READONLY, 0) end
    return raw_rawset(t, name, value)
end

local globals = {}
local face, meta = protect(globals)

-- Compiled code is no input: the mark that it begins with is made a syntax error, as any other text that is no Lua.
local function text_of(source)
    if source:byte() == 27 then return ' ' .. source end
    return source
end

local function load_text(source, name)
    local f, problem = raw_loadstring(text_of(source), name)
    if not f then return f, problem end
    return setfenv(f, face)
end

local function readonly_loadstring(source, name)
    if type(source) ~= 'string' and type(source) ~= 'number' then
        error("bad argument #1 to 'loadstring' (string expected, got " .. type(source) .. ')', 2)
    end
    source = tostring(source)
    return load_text(source, name or source)
end

local function readonly_load(reader, name)
    if type(reader) ~= 'function' then
        error("bad argument #1 to 'load' (function expected, got " .. type(reader) .. ')', 2)
    end
    local pieces = {}
    while true do
        local piece = reader()
        if piece == nil or piece == '' then break end
        if type(piece) ~= 'string' then return nil, 'reader function must return a string' end
        pieces[#pieces + 1] = piece
    end
    return load_text(concat(pieces), name or '=(load)')
end

for _, name in ipairs {
    'assert', 'collectgarbage', 'error', 'gcinfo', 'getmetatable', 'ipairs', 'next', 'pcall', 'rawequal', 'rawget',
    'select', 'tonumber', 'tostring', 'type', 'unpack', 'xpcall', '_VERSION',
} do
    globals[name] = _G[name]
end
globals.pairs, globals.setmetatable, globals.rawset = readonly_pairs, readonly_setmetatable, readonly_rawset
globals.loadstring, globals.load = readonly_loadstring, readonly_load
globals._G = face

local math = math
wrapped(raw.math, one, math)
for name, library in raw_pairs {string = string, table = table, math = math, coroutine = coroutine} do
    globals[name] = protect(library)
end
getmetatable('').__metatable = protect {__index = globals.string}

globals.bit = protect(wrapped(raw.bit_folds, folding, wrapped(raw.bit, one, {})))
globals.struct = protect(wrapped(raw.struct_pack, packing, wrapped(raw.struct_unpack, unpacking, {})))

local msgpack = wrapped(raw.cmsgpack_pack, packing, wrapped(raw.cmsgpack_unpack, unpacking, {}))
for name, value in raw_pairs(raw.cmsgpack_facts) do msgpack[name] = value end
globals.cmsgpack = protect(msgpack)

local function new_cjson()
    local functions = raw.new_cjson()
    local cjson = wrapped(functions.one, one, wrapped(functions.many, unpacking, {}))
    for name, value in raw_pairs(functions.facts) do cjson[name] = value end
    cjson.new = new_cjson
    return cjson
end
globals.cjson = protect(new_cjson())

local redis = wrapped(raw.redis, plain, {})
for name, value in raw_pairs(raw.redis_facts) do redis[name] = value end
redis.call, redis.pcall = call, pcall_command
redis.error_reply = function(...)
    return raw.error_reply(select('#', ...), (...))
end
redis.status_reply = function(...)
    return raw.status_reply(select('#', ...), (...))
end
globals.redis = protect(redis)

-- Errors.

raw_setmetatable(globals, {__index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
end})

local function failed(problem)
    if raw.is_killed() then problem = raw.kill_message() end
    if type(problem) ~= 'table' then
        problem = {err = 'ERR ' .. tostring(problem)}
    elseif is_protected(problem) then
        problem = {}
    end
    local source, line = raw.position()
    if source then problem.source, problem.line = source, line end
    return problem
end

local environment = {}

-- Makes a compiled chunk one of a script.
function environment.adopt(chunk)
    return setfenv(chunk, face)
end

-- Runs a script with its keys and arguments in globals.
function environment.eval(f, keys, argv)
    globals.KEYS, globals.ARGV = keys, argv
    return xpcall(f, failed)
end

-- Runs a function of a library.
function environment.fcall(f, keys, args)
    return xpcall(function() return f(keys, args) end, failed)
end

-- Runs the code of a library, which sees nothing but what registers functions.
function environment.load(f)
    local library = wrapped(raw.load, plain, {})
    for name, value in raw_pairs(raw.load_facts) do library[name] = value end
    raw_setmetatable(library, getmetatable(globals))
    local seen = raw_setmetatable({redis = protect(library)}, getmetatable(globals))
    meta.__index = seen
    local ok, problem = xpcall(f, failed)
    meta.__index = globals
    return ok, problem
end

-- What libraries do not see.
function environment.of_functions()
    redis.breakpoint, redis.debug, redis.replicate_commands = nil, nil, nil
end

return environment
