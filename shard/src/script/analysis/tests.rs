use super::{Touches, of_library, of_script};

fn declared(script: &str) {
    assert_eq!(of_script(script.as_bytes()), Touches::Declared, "{script}");
}

fn anything(script: &str) {
    assert_eq!(of_script(script.as_bytes()), Touches::Anything, "{script}");
}

#[test]
fn elements_of_keys_are_followed_to_the_commands() {
    declared("return redis.call('GET', KEYS[1])");
    declared("return redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])");
    declared("local k = KEYS[1] local call = redis.call if call('get', k) then return call('del', k) end");
    declared("local r = redis return r.pcall('incrby', KEYS[#KEYS], 1)");
    declared("for i, key in ipairs(KEYS) do redis.call('incr', key) end");
    declared("for i = 1, #KEYS do local k = KEYS[i]; redis.call('hset', k, 'f', i) end");
    declared("return redis.call('mget', unpack(KEYS))");
    declared("return redis.call('del', KEYS[1], unpack(KEYS, 2))");
    declared("return redis.call('zunionstore', KEYS[1], #KEYS - 1, unpack(KEYS, 2))");
    declared("return redis.call('zunionstore', KEYS[1], 2, KEYS[2], KEYS[3], 'WEIGHTS', ARGV[1], ARGV[2])");
    declared("return pcall(redis.call, 'get', KEYS[1])");
    declared("local function get(k) return redis.call('get', k) end return get(KEYS[1]) .. get(KEYS[2])");
    declared("local function all(keys) for _, k in ipairs(keys) do redis.call('del', k) end end all(KEYS)");
    declared("local k if ARGV[1] then k = KEYS[1] else k = KEYS[2] end return redis.call('get', k)");
    declared("return redis.call('time')");
    declared("return redis.call('object', 'encoding', KEYS[1])");
    declared("return {#KEYS, cjson.encode(KEYS), type(KEYS), KEYS[1]}");
    declared("return redis.call('no-such-command', 'x')");
    declared("return redis.sha1hex(ARGV[1])");
}

#[test]
fn keys_from_elsewhere_make_a_script_do_anything() {
    anything("return redis.call('GET', ARGV[1])");
    anything("return redis.call('GET', 'x')");
    anything("return redis.call('GET', KEYS[1] .. ':x')");
    anything("return redis.call(ARGV[1], KEYS[1])");
    anything("return redis.call('mset', KEYS[1], 'a', 'y', 'b')");
    anything("return redis.call('mget', KEYS[1], unpack(ARGV))");
    anything("return redis.call('del', unpack(ARGV))");
    anything("local k = KEYS[1] k = ARGV[1] return redis.call('get', k)");
    anything("local f = redis.call local t = {f} return t[1]('get', 'x')");
    anything("local c = ARGV[1] and redis.call or print return c('get', 'x')");
    anything("KEYS[1] = 'x' return redis.call('get', KEYS[1])");
    anything("table.insert(KEYS, 'x') return redis.call('get', KEYS[2])");
    anything("local k = KEYS k[1] = 'x' return redis.call('get', KEYS[1])");
    anything("local function f(k) k[1] = 'x' end f(KEYS) return redis.call('get', KEYS[1])");
    anything("local function f(k) return redis.call('get', k) end f(KEYS[1]) f('x')");
    anything("local function f(k) return redis.call('get', k) end return pcall(f, 'x')");
    anything("local t = {} t.f = redis.call t.f('get', 'x')");
    anything("return _G.redis.call('get', 'x')");
    anything("return loadstring('return redis.call(\"get\", \"x\")')()");
    anything("for n, f in pairs(redis) do f('get', 'x') end");
    anything("local n = 'call' return redis[n]('get', 'x')");
    anything("local redis = setmetatable({}, {__index = redis}) return redis.call('get', 'x')");
    anything("return redis.call('keys', '*')");
    anything("return redis.call('dbsize')");
    anything("return redis.call('flushall')");
    anything("return redis.call('sort', KEYS[1], 'by', 'w_*')");
    anything("return redis.call('sort', KEYS[1], ARGV[1], ARGV[2])");
    anything("return redis.call('georadius', KEYS[1], 1, 1, 1, 'm', ARGV[1], ARGV[2])");
    anything("return redis.call('zunionstore', KEYS[1], 2, KEYS[2], 'x')");
    anything("return redis.call('zunionstore', KEYS[1], ARGV[1], KEYS[2], ARGV[2])");
    anything("return redis.call('zunionstore', KEYS[1], unpack(ARGV))");
    anything("return redis.call('zunionstore', KEYS[1], 2, unpack(ARGV))");
    anything("return redis.call('zmpop', unpack(ARGV))");
    anything("return redis.call('xread', ARGV[1], ARGV[2], 'streams', KEYS[1], 'x')");
    // Not followed, though it could be.
    anything("local k = ARGV[1] == 'a' and KEYS[1] or KEYS[2] return redis.call('get', k)");
    anything("this is no lua");
    anything("local function f(...) return redis.call(...) end return f('get', KEYS[1])");
    anything("return pcall(pcall, redis.call, 'get', 'x')");
    anything("local function f() return KEYS end f()[1] = 'x' return redis.call('get', KEYS[1])");
    anything("local k = KEYS[1] return (function() k = 'x' return redis.call('get', k) end)()");
}

#[test]
fn text_is_read_as_lua_reads_it() {
    declared("--[[ redis.call('get', 'x') ]] return redis.call([[get]], KEYS[1]) -- redis.call('get', 'x')");
    declared("return redis.call(\"g\\101t\", KEYS[1])");
    declared("local t = {a = 1, ['b'] = 2; 3, f = function(...) return ... end} return t.a + #t - 2 ^ -3 .. 'x'");
    declared("repeat local x = 1 until x == 1 while true do break end do local y end return not nil");
    declared("local s = ARGV[1]:sub(1, 2):upper() return s");
    declared("if a then elseif b then else end for i = 1, 2, 3 do end return 0x10 + 1e-5 + .5");
    anything("return 'unfinished");
    anything("return redis.call('get', KEYS[1]) end");
}

#[test]
fn functions_get_their_keys_as_their_first_parameter() {
    let declared = |code: &str| assert_eq!(of_library(code.as_bytes()), Touches::Declared, "{code}");
    let anything = |code: &str| assert_eq!(of_library(code.as_bytes()), Touches::Anything, "{code}");
    declared("redis.register_function('f', function(keys, args) return redis.call('get', keys[1]) end)");
    declared(
        "local function f(keys, args) return redis.call('set', keys[1], args[1]) end redis.register_function('f', f)",
    );
    declared("redis.register_function{function_name = 'f', callback = function(k) return redis.call('get', k[1]) end}");
    declared(
        "local function get(k) return redis.call('get', k) end \
         redis.register_function('f', function(keys) return get(keys[1]) end)",
    );
    anything("redis.register_function('f', function(keys, args) return redis.call('get', args[1]) end)");
    anything("redis.register_function('f', function(keys, args) return redis.call('get', KEYS[1]) end)");
    anything("local function f(keys) return redis.call('get', keys[1]) end redis.register_function('f', f) f({'x'})");
}

#[test]
fn scripts_that_set_globals_are_known() {
    let modest = [
        "return redis.call('GET', KEYS[1])",
        "local a, b = 1; a, b = b, a; local function f(x) x = a; return x end; return f(b)",
        "for i = 1, 3 do i = i + 1 end; local t = {}; t.x, t['y'] = 1, 2; function t.f() end; return t",
        "local f; function f() return f end",
        "repeat local done = true; done = not done until done",
    ];
    let others = [
        "x = 1",
        "local a; a, x = 1, 2",
        "function f() end",
        "local function f() x = 1 end",
        "do local x = 1 end; x = 2",
        "for x = 1, 3 do end; x = 1",
        "repeat local x = true until x; x = 1",
        "local f = function(x) return x end; x = 1",
        "local function f(...) arg = 1 end",
        "no script at all",
    ];
    for script in modest {
        assert!(!super::sets_globals(script.as_bytes()), "{script}");
    }
    for script in others {
        assert!(super::sets_globals(script.as_bytes()), "{script}");
    }
}
