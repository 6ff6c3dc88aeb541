-- What the Prosody module and its tests may use beyond Lua's own.
std = "lua54"
max_line_length = 125
max_cyclomatic_complexity = 10
codes = true

-- Prosody runs a module and its parts in an environment that has these.
files["conf/prosody"] = { globals = { "module", "prosody" } }
-- A configuration is a list of assignments to globals.
files["conf/prosody/*.cfg.lua"] = { allow_defined_top = true, ignore = { "1" } }
files["tests/prosody/plugins"] = { globals = { "module", "prosody" } }
