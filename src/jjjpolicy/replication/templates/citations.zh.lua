-- Chinese characters, and citations among them, are set without spaces: 财政部和国家税务总局（2015）.

local function first(text) return utf8.codepoint(text, 1) end
local function last(text) return utf8.codepoint(text, utf8.offset(text, -1)) end
local function wide(code) return code >= 0x2E80 end
local OPENING = utf8.codepoint("（")

function Inlines(inlines)
  local kept = pandoc.List()
  for index, inline in ipairs(inlines) do
    local before, after = inlines[index - 1], inlines[index + 1]
    local left = before and pandoc.utils.stringify(before) or ""
    local right = after and pandoc.utils.stringify(after) or ""
    local between = inline.t == "Space" and left ~= "" and right ~= ""
    if not (between and (first(right) == OPENING or wide(last(left)) and wide(first(right)))) then
      kept:insert(inline)
    end
  end
  return kept
end
