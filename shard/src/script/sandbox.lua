-- What scripts see of Lua: the globals of Redis 7, none of which can be changed.
--
-- Lua 5.1 has no read-only tables. A table that scripts must not change is an empty table here, whose metatable reads from
-- the real one and refuses to write (`protect`). The functions that would go around a metatable are replaced.
--
-- Functions in Rust raise errors of a kind that scripts know nothing of: whatever catches an error converts it. Each value
-- that Rust gets takes one of some thousands of places, so none of these functions is called with more at once (`guarded`),
-- but those that run commands: they take their arguments from Lua's stack.

local raw = ...

local error, type, tostring, next, setfenv, concat = error, type, tostring, next, setfenv, table.concat
local raw_pairs, raw_setmetatable, raw_rawset, raw_unpack = pairs, setmetatable, rawset, unpack
local tonumber = tonumber
local raw_getfenv, raw_newproxy, raw_globals = getfenv, newproxy, _G
local raw_loadstring, raw_pcall, raw_xpcall = loadstring, pcall, xpcall

local READONLY = 'Attempt to modify a readonly table'
local UNPACKED_MAX = 8000
local ARGUMENTS_MAX = 1000
local PACKED_MAX = 6000

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

-- Errors.

local convert = raw.convert

local function caught(ok, ...)
    if ok then return true, ... end
    return false, convert((...))
end

-- What `pcall` catches of a command is the text of its error, as it was before errors were tables.
local function caught_text(ok, ...)
    if ok then return true, ... end
    local problem = convert((...))
    if type(problem) == 'table' and type(problem.err) == 'string' then problem = problem.err end
    return false, problem
end

local function converting_pcall(f, ...)
    return caught_text(raw_pcall(f, ...))
end

local function converting_xpcall(f, handler)
    return raw_xpcall(f, function(problem) return handler(convert(problem)) end)
end

local resume, create = coroutine.resume, coroutine.create
coroutine.resume = function(co, ...)
    return caught(resume(co, ...))
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

-- Lua's own counts the results in 32 bits, which a range may pass. What is compared with NaN is false.
local function limited_unpack(t, first, last)
    if first == nil and last == nil then return raw_unpack(t) end
    if type(t) == 'table' then
        local from, to = tonumber(first or 1), tonumber(last or #t)
        if from and to and not (to - from < UNPACKED_MAX) then error('too many results to unpack', 2) end
    end
    return raw_unpack(t, first, last)
end

for _, library in raw_pairs {raw.redis, raw.load, raw.bit, raw.cjson, raw.cmsgpack, raw.struct, raw.math} do
    for name, f in raw_pairs(library) do
        if type(f) == 'function' and f ~= raw.redis.call and f ~= raw.redis.pcall then
            library[name] = raw.guarded(f, name == 'pack' and PACKED_MAX or ARGUMENTS_MAX)
        end
    end
end
local new_cjson = raw.cjson.new
raw.cjson.new = function()
    local made = new_cjson()
    for name, f in raw_pairs(made) do
        if type(f) == 'function' then made[name] = raw.guarded(f, ARGUMENTS_MAX) end
    end
    return made
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
    'assert', 'collectgarbage', 'error', 'gcinfo', 'getmetatable', 'ipairs', 'next', 'rawequal', 'rawget', 'select',
    'tonumber', 'tostring', 'type', '_VERSION',
} do
    globals[name] = _G[name]
end
globals.pairs, globals.setmetatable, globals.rawset = readonly_pairs, readonly_setmetatable, readonly_rawset
globals.loadstring, globals.load = readonly_loadstring, readonly_load
globals.pcall, globals.xpcall, globals.unpack = converting_pcall, converting_xpcall, limited_unpack
globals._G = face

for name, f in raw_pairs(raw.math) do math[name] = f end
for name, library in raw_pairs {
    bit = raw.bit, cjson = raw.cjson, cmsgpack = raw.cmsgpack, coroutine = coroutine, math = math, redis = raw.redis,
    string = string, struct = raw.struct, table = table,
} do
    globals[name] = protect(library)
end
getmetatable('').__metatable = protect {__index = globals.string}

raw_setmetatable(globals, {__index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
end})

local function failed(problem)
    if raw.is_killed() then problem = raw.kill_message() else problem = convert(problem) end
    if type(problem) ~= 'table' then
        problem = {err = 'ERR ' .. tostring(problem)}
    elseif is_protected(problem) then
        problem = {}
    end
    local source, line = raw.position()
    if source then problem.source, problem.line = source, line end
    return problem
end

-- The globals, and what makes of an error what its client is told.
local environment = {globals = globals, failed = failed}

-- Makes a compiled chunk one of a script. One that sets no global variable, and has no function that tells its environment,
-- may have the globals themselves, which are found faster than through their face.
function environment.adopt(chunk, is_modest)
    return setfenv(chunk, is_modest and globals or face)
end

raw_setmetatable(raw.load, getmetatable(globals))
local at_load = raw_setmetatable({redis = protect(raw.load)}, getmetatable(globals))

-- Runs the code of a library, which sees nothing but what registers functions.
function environment.load(f)
    meta.__index = at_load
    local ok, problem = raw_xpcall(f, failed)
    meta.__index = globals
    return ok, problem
end

-- What `lua-enable-deprecated-api` allows. The environment of what is no script's stays out of sight and as it is.
local function environment_of(f)
    if type(f) == 'number' and f > 0 then f = f + 2 end
    local found = raw_getfenv(f)
    return found
end

function environment.with_deprecated()
    globals.newproxy = raw_newproxy
    globals.getfenv = function(f)
        local found = environment_of(f == nil and 1 or f)
        if found == raw_globals then return face end
        return found
    end
    globals.setfenv = function(f, replacement)
        if f == 0 or environment_of(f) == raw_globals then
            error("'setfenv' cannot change environment of given object", 2)
        end
        if type(f) == 'number' then f = f + 1 end
        local changed = setfenv(f, replacement)
        return changed
    end
end

-- Runs a piece of Lua that the debugger was given, in a coroutine of its own.
function environment.evaluate(piece)
    return caught(resume(create(piece)))
end

-- What libraries do not see.
function environment.of_functions()
    local redis = raw.redis
    redis.breakpoint, redis.debug, redis.replicate_commands = nil, nil, nil
end

return environment
