-- SPDX-License-Identifier: GPL-2.0-or-later
-- A Wireshark dissector (4.0 or newer) of what dyetrace puts on the wire; docs/wire.md is the authority.
--
--   tshark -X lua_script:dyetrace.lua -r FILE -Y dyetrace          or copy it into a folder of Lua plugins
--
-- Control messages come to it through EtherType 0x88b5 inside Geneve, or inside VXLAN in the control VNI; updates and directives
-- through their UDP ports. Wireshark 4.0 has no table for Geneve options, so the track option and the report option are read after
-- the packet was dissected, from the Geneve headers that were found in it.
--
-- A Reader never reads behind what was captured, so that no packet, however broken, ends in an error of Lua.

local dyetrace = Proto("dyetrace", "dyetrace")
local options = Proto("dyetrace_options", "dyetrace options of Geneve")

dyetrace.prefs.udp_ports = Pref.range("UDP ports", "46081-46082", "of the health service and of EPPCs that speak with it", 65535)
dyetrace.prefs.option_class = Pref.uint("Option class", 0xff44, "Geneve option class of the track option and the report option")
dyetrace.prefs.control_vni = Pref.uint("Control VNI", 0xffffff, "VNI of control messages in VXLAN")

-- Fields ---------------------------------------------------------------------------------------------------------------------------

local fields = {}

--- Declares dyetrace.<name>; `kind` is a constructor of ProtoField, the rest its arguments behind the title.
local function field(kind, name, title, ...)
  local made = ProtoField[kind]("dyetrace." .. name, title, ...)
  fields[#fields + 1] = made
  return made
end

local SIZE = { uint8 = 1, uint16 = 2, uint24 = 3, uint32 = 4, uint64 = 8, int32 = 4, int64 = 8, ipv6 = 16 }

--- One line of a layout: a field with its size in bytes, and the bits that stand below it.
local function line(kind, name, title, base, names)
  return { field = field(kind, name, title, base, names), size = SIZE[kind] }
end
local function number(kind, name, title) return line(kind, name, title, base.DEC) end
local function choice(name, title, names) return line("uint8", name, title, base.DEC, names) end
local function address(name, title) return { field = field("ipv6", name, title), size = 16 } end
local function bytes(name, title, size) return { field = field("bytes", name, title), size = size } end
local function flags(kind, name, title, bits)
  local made = line(kind, name, title, base.HEX)
  made.bits = {}
  for _, bit in ipairs(bits) do
    made.bits[#made.bits + 1] = field("bool", name .. "." .. bit[2], bit[3], 8 * made.size, nil, bit[1])
  end
  return made
end
--- A time on a host's own clock: nanoseconds, with the date behind it where it looks like one.
local function clock(name, title)
  local made = number("int64", name, title .. " (ns)")
  made.note = function(range)
    local value = range:int64()
    if value < Int64(0, 0x08000000) then return nil end -- before 1988: no time of day
    local seconds = (value / Int64(1000000000)):tonumber()
    return os.date("!%Y-%m-%d %H:%M:%S", seconds) .. string.format(".%09d UTC", (value % Int64(1000000000)):tonumber())
  end
  return made
end
local function duration(name, title)
  local made = number("int64", name, title .. " (ns)")
  made.note = function(range) return string.format("%.6f ms", range:int64():tonumber() / 1e6) end
  return made
end

local reserved = field("bytes", "reserved", "Reserved")
local function gap(size) return { field = reserved, size = size } end

local TYPES = {
  [1] = "request", [2] = "accept", [3] = "reject", [4] = "marker", [5] = "marker-ack", [6] = "report", [7] = "report-ack",
  [8] = "close", [9] = "close-ack", [10] = "path-trace", [11] = "path-trace-reply", [12] = "keep-alive", [13] = "challenge",
  [14] = "delay-sketch", [32] = "update", [33] = "update-ack", [34] = "directive", [35] = "directive-result", [36] = "nhms-hello",
}
local ENCAPSULATIONS = { [1] = "Geneve", [2] = "VXLAN" }
local SAMPLINGS = {
  [1] = "every Nth packet", [2] = "probability", [3] = "hash-consistent", [4] = "rate budget",
  [0x81] = "every Nth packet that passes the filter", [0x82] = "probability, of what passes the filter",
  [0x83] = "hash-consistent, of what passes the filter", [0x84] = "rate budget, of what passes the filter",
}
local REJECT_REASONS = {
  [1] = "too-many-sessions", [2] = "too-many-from-peer", [3] = "too-many-paths", [4] = "unsupported-sampling", [5] = "not-measuring",
  [6] = "over-packet-budget", [7] = "over-cpu-budget", [8] = "unsupported-metrics", [9] = "unsupported-version",
  [10] = "unsupported-encapsulation",
}
local CLOSE_REASONS = { [1] = "asked", [2] = "duration-over", [3] = "no-traffic", [4] = "no-capacity",
  [5] = "packet-cap", [6] = "key-retired", [7] = "turn-over" }
local MARKERS = { [1] = "START", [2] = "END", [3] = "COUNT" }
local ENTRIES = { [1] = "metrics", [2] = "path", [3] = "session", [4] = "timing" }
local STATES = {
  [0] = "idle", [1] = "requested", [2] = "active", [3] = "closing", [4] = "closed", [5] = "rejected", [6] = "expired", [7] = "peer-lost",
}
local DIRECTIVES = { [1] = "investigate" }
local STATUSES = { [1] = "done", [2] = "no-session" }

-- What stands in more than one unit has one name, so that one filter finds all of a session, path or peer.
local version = number("uint8", "version", "Version")
local session = line("uint32", "session", "Session id", base.HEX)
local message_number = number("uint32", "number", "Message number")
local path = number("uint16", "path", "Path index")
local generation = number("uint8", "generation", "Path generation")
local peer = address("peer", "Peer")
local sampling_kind = choice("sampling.kind", "Sampling", SAMPLINGS)
local sampling_parameter = number("uint24", "sampling.parameter", "Sampling parameter (seed or burst)")
local sampling_value = number("uint32", "sampling.value", "Sampling value")
local requester_nonce = line("uint64", "requester_nonce", "Requester's nonce", base.HEX)
local acceptor_nonce = line("uint64", "acceptor_nonce", "Acceptor's nonce", base.HEX)
local message_length = number("uint16", "length", "Length, tag included")
local message_type = choice("type", "Type", TYPES)
local tag = bytes("tag", "HMAC-SHA-256, 16 bytes", 16)
local body_bytes = field("bytes", "body", "Body")
local padding = field("bytes", "padding", "Padding")
local record_count = number("uint16", "report.records", "Records")
local entry_count = number("uint16", "update.entries", "Entries")
local entry_kind = choice("entry.kind", "Kind", ENTRIES)
local entry_length = number("uint16", "entry.length", "Length of what follows")
local hop_count = number("uint16", "traced.hops", "Routers")
local hop = field("ipv6", "traced.hop", "Router")
local sketch = field("bytes", "sketch.encoding", "Sketch")
local sketch_level = field("uint8", "sketch.level", "Level", base.DEC)
local sketch_not_recorded = field("uint64", "sketch.not_recorded", "Values for which there was no room", base.DEC)
local sketch_count = field("uint64", "sketch.count", "Values in buckets", base.DEC)
local sketch_min = field("int64", "sketch.min", "Least (ns)", base.DEC)
local sketch_max = field("int64", "sketch.max", "Greatest (ns)", base.DEC)
local sketch_length = number("uint16", "timing.sketch_length", "Sketch length")
local lost = field("int64", "record.lost", "Lost (sent less received)", base.DEC)

local ENVELOPE = {
  version, message_type, number("uint8", "key_id", "Key id"), flags("uint8", "flags", "Flags", { { 0x01, "acceptor", "From the acceptor" } }),
  message_length, gap(2), session, message_number,
  line("uint64", "sender_boot", "Sender's boot id", base.HEX), line("uint64", "receiver_boot", "Receiver's boot id", base.HEX),
}
local ENVELOPE_SIZE, TAG_SIZE = 32, 16

local RECORD = {
  path, generation,
  flags("uint8", "record.flags", "Flags", { { 0x01, "open", "An interval is open" }, { 0x02, "excess", "More received than sent" } }),
  number("uint16", "record.intervals", "Intervals begun"), number("uint16", "record.ttl_changes", "TTL changes"),
  number("uint64", "record.sent", "Sent"), number("uint64", "record.received", "Received"),
  number("uint32", "record.tracked_sent", "Tracked sent"), number("uint32", "record.tracked_received", "Tracked received"),
  number("uint32", "record.duplicates", "Duplicates"), number("uint32", "record.late", "Late"),
  duration("record.delay_min", "Delay minimum"), duration("record.delay_max", "Delay maximum"), number("int64", "record.delay_sum", "Delay sum (ns)"),
  number("uint32", "record.delay_count", "Delay samples"), number("uint32", "record.ce", "CE marks"),
  number("uint32", "record.ecn_invalid", "ECN-invalid"), number("uint32", "record.corrupted", "Corrupted"),
  number("uint32", "record.extent_max", "Reordering extent, largest"), number("uint32", "record.jitter", "Jitter (ns)"),
  number("int64", "record.ipdv_sum", "Sum of |IPDV| (ns)"), clock("record.measured", "Measured at"),
}
local RECORD_SIZE = 104

local TRACK = {
  session, path, generation,
  flags("uint8", "track.flags", "Flags", { { 0x01, "sent_ce", "Sent with CE" } }),
  number("uint32", "track.sequence", "Sequence number"), clock("track.transmit", "Transmit timestamp"),
  number("uint64", "track.count", "Cumulative count of data packets"), number("uint16", "track.inner_length", "Inner length"),
  line("uint16", "track.inner_checksum", "Inner checksum", base.HEX), bytes("track.tag", "SipHash-2-4 tag", 8),
}
local RIDE_TAG = { bytes("ride.tag", "SipHash-2-4 tag", 8) }
local option_data = field("bytes", "option.data", "Option data")

-- What is wrong --------------------------------------------------------------------------------------------------------------------

local function trouble(name, text, group, severity)
  return ProtoExpert.new("dyetrace.expert." .. name, text, group, severity)
end
local wrong = {
  short = trouble("short", "Shorter than its layout", expert.group.MALFORMED, expert.severity.ERROR),
  long = trouble("long", "Longer than its layout", expert.group.MALFORMED, expert.severity.ERROR),
  length = trouble("length", "A length that cannot be", expert.group.MALFORMED, expert.severity.ERROR),
  cut = trouble("cut", "Not captured to its end", expert.group.UNDECODED, expert.severity.NOTE),
  version = trouble("version", "A version that this dissector does not know", expert.group.UNDECODED, expert.severity.WARN),
  unknown = trouble("unknown", "A type that this dissector does not know", expert.group.UNDECODED, expert.severity.WARN),
  not_oam = trouble("not_oam", "A control message without the O bit of Geneve", expert.group.PROTOCOL, expert.severity.WARN),
}

-- Reading --------------------------------------------------------------------------------------------------------------------------

--- Reads one unit: bytes [at, stop) of a Tvb, of which the capture may have kept less.
local Reader = {}
Reader.__index = Reader

local function reader(tvb, at, stop) return setmetatable({ tvb = tvb, at = at, stop = stop }, Reader) end

function Reader:left() return self.stop - self.at end

--- The next `size` bytes, or nil and a remark on `tree`, once.
function Reader:take(tree, size)
  local after = self.at + size
  if after > self.stop or after > self.tvb:len() then
    local short = after > self.stop or after > self.tvb:reported_len()
    if not self.failed then tree:add_proto_expert_info(short and wrong.short or wrong.cut) end
    self.failed = true
    return nil
  end
  local range = self.tvb(self.at, size)
  self.at = after
  return range
end

--- Shows the lines of a layout; false where one is missing.
function Reader:fields(tree, layout)
  for _, one in ipairs(layout) do
    local range = self:take(tree, one.size)
    if not range then return false end
    local item = tree:add(one.field, range)
    for _, bit in ipairs(one.bits or {}) do item:add(bit, range) end
    local note = one.note and one.note(range)
    if note then item:append_text(" (" .. note .. ")") end
  end
  return true
end

function Reader:number(tree, one)
  local range = self:take(tree, one.size)
  if not range then return nil end
  tree:add(one.field, range)
  return range:uint()
end

--- What is left, as bytes of `as`.
function Reader:rest(tree, as)
  if self:left() == 0 then return true end
  local range = self:take(tree, self:left())
  if range then tree:add(as, range) end
  return range ~= nil
end

--- A tree over the next `size` bytes, or over what there is of them.
function Reader:branch(tree, size, title)
  local there = math.max(0, math.min(size, self:left(), self.tvb:len() - self.at))
  if there == 0 then return tree:add(dyetrace, title) end
  return tree:add(dyetrace, self.tvb(self.at, there), title)
end

function Reader:done(tree)
  if not self.failed and self:left() > 0 then
    tree:add_proto_expert_info(wrong.long)
    self:rest(tree, body_bytes)
  end
end

local function show_record(r, tree)
  local branch = r:branch(tree, RECORD_SIZE, "Record")
  local at = r.at
  if not r:fields(branch, RECORD) then return false end
  local function u(offset, size) return r.tvb(at + offset, size) end
  local difference = u(8, 8):int64() - u(16, 8):int64()
  branch:add(lost, u(8, 16), difference):set_generated()
  branch:append_text(string.format(": path %d.%d, sent %s, received %s", u(0, 2):uint(), u(2, 1):uint(), tostring(u(8, 8):uint64()),
                                   tostring(u(16, 8):uint64())))
  return true
end

-- Bodies ---------------------------------------------------------------------------------------------------------------------------

local function of(layout) return function(r, tree) r:fields(tree, layout) end end
local empty = of({})

local interval = number("uint16", "marker.interval", "Interval")
local marker_kind = choice("marker.kind", "Kind", MARKERS)
local trace_ttl = number("uint8", "trace.ttl", "TTL sent")
local trace_number = number("uint16", "trace.number", "Trace number")

local function metrics(name, title)
  return flags("uint32", name, title, {
    { 0x001, "counts", "Net loss of all packets" }, { 0x002, "tracked", "Loss of tracked packets" }, { 0x004, "delay", "One-way delay" },
    { 0x008, "jitter", "Jitter" }, { 0x010, "reordering", "Reordering" }, { 0x020, "ecn", "CE marks, ECN-invalid" },
    { 0x040, "ttl", "TTL changes" }, { 0x080, "corruption", "Own check" }, { 0x100, "quantiles", "Delay sketch" },
  })
end

local REPORT_HEADER = {
  flags("uint16", "report.flags", "Flags", { { 0x0001, "delay", "Delay samples present" } }),
  clock("report.sent", "Sent"), clock("report.newest.transmit", "Newest tracked packet, transmitted"),
  duration("report.newest.delay", "Newest tracked packet, raw delay"), clock("report.best.transmit", "Best tracked packet, transmitted"),
  duration("report.best.delay", "Best tracked packet, raw delay"),
}

local function report(r, tree)
  local count = r:number(tree, record_count)
  if not count or not r:fields(tree, REPORT_HEADER) then return end
  for _ = 1, count do
    if not show_record(r, tree) then return end
  end
end

local SKETCH_HEADER = {
  flags("uint32", "sketch.flags", "Flags", { { 0x00000001, "raw", "Of raw delays" } }), clock("sketch.sent", "Sent"),
}

--- The next LEB128 of `r`, or nil.
local function leb128(r)
  local value = UInt64(0)
  for shift = 0, 63, 7 do
    if r:left() == 0 then return nil end
    local byte = r.tvb(r.at, 1):uint()
    r.at = r.at + 1
    value = value:bor(UInt64(byte % 128):lshift(shift))
    if byte < 128 then return value end
  end
  return nil
end

local function unzigzag(value)
  local half = value:rshift(1)
  local signed = Int64(half:lower(), half:higher())
  return value:band(1):tonumber() == 0 and signed or -signed - 1
end

--- level, values not recorded, values, least, greatest; or nil where it is not such an encoding.
local function read_sketch(r)
  local level = r.tvb(r.at, 1):uint()
  r.at = r.at + 1
  local not_recorded, buckets = leb128(r), leb128(r)
  if not not_recorded or not buckets or buckets > UInt64(5000) then return nil end
  if not_recorded == UInt64(0) and buckets == UInt64(0) then return level, not_recorded, UInt64(0) end
  local least, range, count = leb128(r), leb128(r), UInt64(0)
  if not least or not range then return nil end
  least = unzigzag(least)
  for _ = 1, buckets:tonumber() do
    local gap_before, more = leb128(r), leb128(r)
    if not gap_before or not more then return nil end
    count = count + more
  end
  if r:left() > 0 then return nil end
  return level, not_recorded, count, least, least + Int64(range:lower(), range:higher())
end

local function show_sketch(r, tree, size)
  if size == 0 then return end
  local at, range = r.at, r:take(tree, size)
  if not range then return end
  local item = tree:add(sketch, range)
  local level, not_recorded, count, least, greatest = read_sketch(reader(r.tvb, at, at + size))
  if not level then return item:append_text(" (not readable)") end
  item:add(sketch_level, range, level):set_generated()
  item:add(sketch_not_recorded, range, not_recorded):set_generated()
  item:add(sketch_count, range, count):set_generated()
  if least then
    item:add(sketch_min, range, least):set_generated()
    item:add(sketch_max, range, greatest):set_generated()
  end
end

local function delay_sketch(r, tree)
  if r:fields(tree, SKETCH_HEADER) then show_sketch(r, tree, r:left()) end
end

local PATH_ENTRY = {
  peer, session, path, generation, flags("uint8", "traced.flags", "Flags", { { 0x01, "complete", "Every router answered" } }),
  number("uint16", "traced.source_port", "UDP source port"),
}
local PATH_TIME = { clock("traced.at", "Traced at") }
local SESSION_ENTRY = {
  peer, session, choice("state", "State", STATES), number("uint8", "reason", "Reason"), gap(2), sampling_kind, sampling_parameter, sampling_value,
  number("uint64", "offered", "Packets offered"), number("uint64", "tagged", "Packets tagged"), clock("changed", "Changed at"),
}
local TIMING_ENTRY = {
  peer, session,
  flags("uint32", "timing.flags", "Flags", {
    { 0x1, "clock_known", "Clock known" }, { 0x2, "round_trip_known", "Round trip known" }, { 0x4, "corrected", "Sketch of corrected delays" },
  }),
  duration("timing.offset", "Clock offset"), duration("timing.bound", "Bound of the offset"), number("int32", "timing.drift", "Drift (ppb)"),
  number("uint32", "timing.steps", "Clock steps"), duration("timing.round_trip_min", "Round trip, least"),
  duration("timing.round_trip_last", "Round trip, last"), clock("timing.measured", "Measured at"),
}

local ENTRY_BODIES = {
  [1] = function(r, tree) return r:fields(tree, { peer, session }) and show_record(r, tree) end,
  [2] = function(r, tree)
    if not r:fields(tree, PATH_ENTRY) then return end
    local hops = r:number(tree, hop_count)
    if not hops or not r:fields(tree, PATH_TIME) then return end
    for _ = 1, hops do
      local range = r:take(tree, 16)
      if not range then return end
      tree:add(hop, range)
    end
  end,
  [3] = of(SESSION_ENTRY),
  [4] = function(r, tree)
    if not r:fields(tree, TIMING_ENTRY) then return end
    local size = r:number(tree, sketch_length)
    if size and r:fields(tree, { gap(2) }) then show_sketch(r, tree, size) end
  end,
}

local function update(r, tree)
  local count = r:number(tree, entry_count)
  if not count or not r:fields(tree, { gap(2) }) then return end
  for _ = 1, count do
    local branch = r:branch(tree, 4, "Entry")
    local kind = r:number(branch, entry_kind)
    local size = kind and r:fields(branch, { gap(1) }) and r:number(branch, entry_length)
    if not size then return end
    branch:append_text(": " .. (ENTRIES[kind] or "unknown"))
    if size > r:left() then
      branch:add_proto_expert_info(wrong.length)
      r.failed = true -- said
      size = r:left()
    end
    branch:set_len(math.min(4 + size, r.tvb:len() - r.at + 4))
    local entry = reader(r.tvb, r.at, r.at + size)
    local show = ENTRY_BODIES[kind]
    if show then
      show(entry, branch)
      entry:done(branch)
    else
      branch:add_proto_expert_info(wrong.unknown)
      entry:rest(branch, body_bytes)
    end
    r.at = r.at + size
    if r.failed then return end
  end
end

local BODIES = {
  [1] = of({
    requester_nonce, acceptor_nonce, number("uint16", "request.source_port_base", "Source port base"),
    number("uint16", "request.path_count", "Paths"), number("uint16", "request.port_count", "Source ports"),
    number("uint8", "request.option_type", "Track option type"), choice("request.encapsulation", "Encapsulation", ENCAPSULATIONS),
    sampling_kind, sampling_parameter, sampling_value, metrics("request.metrics", "Metrics wanted"),
    number("uint32", "request.tracked_rate", "Tracked packets a second, at most"), duration("request.report_interval", "Report interval"),
    duration("request.keep_alive_interval", "Keep-alive interval"), duration("request.duration", "Duration"),
    number("uint64", "request.packet_cap", "Tracked packets in all, at most"),
  }),
  [2] = of({
    requester_nonce, acceptor_nonce, duration("accept.report_interval", "Report interval granted"),
    duration("accept.keep_alive_interval", "Keep-alive interval granted"), metrics("accept.metrics", "Metrics granted"), gap(4),
  }),
  [3] = of({ requester_nonce, choice("reject.reason", "Reason", REJECT_REASONS), gap(3), gap(4), duration("reject.back_off", "Do not ask again for") }),
  [4] = of({
    path, generation, marker_kind, interval, gap(2), number("uint64", "marker.count", "Cumulative count of data packets"),
    number("uint32", "marker.next_sequence", "Next sequence number"), gap(4),
  }),
  [5] = of({ path, generation, marker_kind, interval, gap(2) }),
  [6] = report,
  [7] = of({
    number("uint32", "report_ack.number", "Report acknowledged"), gap(4), clock("report_ack.sent", "Sent"),
    clock("report_ack.report_sent", "That report was sent"), duration("report_ack.delay", "Raw reverse delay of that report"),
  }),
  [8] = of({ choice("close.reason", "Reason", CLOSE_REASONS), gap(3) }),
  [9] = empty,
  [10] = of({ path, generation, trace_ttl, trace_number, gap(2) }),
  [11] = of({ path, generation, trace_ttl, trace_number, number("uint8", "trace.ttl_received", "TTL received"), gap(1) }),
  [12] = empty,
  [13] = of({ requester_nonce, acceptor_nonce }),
  [14] = delay_sketch,
  [32] = update,
  [33] = empty,
  [34] = of({
    choice("directive.kind", "Kind", DIRECTIVES), gap(3), peer, sampling_kind, sampling_parameter, sampling_value, duration("directive.duration", "For how long"),
  }),
  [35] = of({
    choice("result.status", "Status", STATUSES), gap(1), number("uint16", "result.sessions", "Sessions concerned"),
    number("uint16", "result.paths", "Paths being traced"), gap(2),
  }),
  [36] = empty,
}

dyetrace.fields = fields
dyetrace.experts = { wrong.short, wrong.long, wrong.length, wrong.cut, wrong.version, wrong.unknown, wrong.not_oam }

-- Control messages, updates and directives -----------------------------------------------------------------------------------------

local geneve_protocol, geneve_oam = Field.new("geneve.proto_type"), Field.new("geneve.flags.oam")
local vxlan_vni, geneve_version = Field.new("vxlan.vni"), Field.new("geneve.version")

local function newest(extractor)
  local found = { extractor() }
  return found[#found]
end

--- Whether this frame of EtherType 0x88b5 is a control message, and not some guest's use of the experimental number.
local function is_control()
  local geneve, vni = newest(geneve_protocol), newest(vxlan_vni)
  if geneve and not (vni and vni.offset > geneve.offset) then return geneve.value == 0x88b5 end
  return vni ~= nil and vni.value == dyetrace.prefs.control_vni
end

--- What the line of a message says behind its name, where its body `u(offset, size)` is there.
local function counted(number, one, many) return string.format(" of %d %s", number, number == 1 and one or many) end
local function path_text(u) return string.format(" of path %d.%d", u(0, 2), u(2, 1)) end
local function marker_text(u) return string.format(" %s%s, interval %d", MARKERS[u(3, 1)] or "?", path_text(u), u(4, 2)) end
local REMARKS = {
  [3] = function(u) return ": " .. (REJECT_REASONS[u(8, 1)] or "?") end,
  [4] = marker_text,
  [5] = marker_text,
  [6] = function(u) return counted(u(0, 2), "path", "paths") end,
  [7] = function(u) return string.format(" of number %d", u(0, 4)) end,
  [8] = function(u) return ": " .. (CLOSE_REASONS[u(0, 1)] or "?") end,
  [10] = function(u) return string.format("%s, TTL %d", path_text(u), u(3, 1)) end,
  [11] = function(u) return string.format("%s, TTL %d", path_text(u), u(3, 1)) end,
  [32] = function(u) return counted(u(0, 2), "entry", "entries") end,
}

local function show_message(r, tree, pinfo)
  if not r:fields(tree, ENVELOPE) then return end
  local function u(offset, size) return r.tvb(offset, size):uint() end
  local kind, length = u(1, 1), u(4, 2)
  local name = TYPES[kind] or string.format("type %d", kind)
  if REMARKS[kind] and math.min(length, r.tvb:len()) >= ENVELOPE_SIZE + 9 then
    name = name .. REMARKS[kind](function(offset, size) return u(ENVELOPE_SIZE + offset, size) end)
  end
  local text = string.format("%s, session 0x%08x, number %d", name, u(8, 4), u(12, 4))
  tree:append_text(": " .. text)
  pinfo.cols.info = text
  if length < ENVELOPE_SIZE + TAG_SIZE or length > r.stop then tree:add_proto_expert_info(wrong.length) end
  local stop = length - TAG_SIZE
  if stop < ENVELOPE_SIZE then return end
  local body = reader(r.tvb, ENVELOPE_SIZE, stop)
  if BODIES[kind] then
    BODIES[kind](body, tree)
    body:done(tree)
  else
    tree:add_proto_expert_info(wrong.unknown)
    body:rest(tree, body_bytes)
  end
  r.at = stop
  if r:fields(tree, { tag }) then r:rest(tree, padding) end
end

function dyetrace.dissector(tvb, pinfo, root)
  local over_udp = pinfo.match_uint ~= 0x88b5
  if not over_udp and not is_control() then return 0 end
  pinfo.cols.protocol = "dyetrace"
  local tree = tvb:len() > 0 and root:add(dyetrace, tvb()) or root:add(dyetrace)
  local r = reader(tvb, 0, tvb:reported_len())
  if tvb:len() > 0 and tvb(0, 1):uint() ~= 1 then
    -- The version is looked at before anything else: what follows it may be laid out otherwise.
    r:fields(tree, { version })
    tree:add_proto_expert_info(wrong.version)
    r:rest(tree, body_bytes)
  else
    show_message(r, tree, pinfo)
  end
  local oam = newest(geneve_oam)
  if not over_udp and oam and not oam.value then tree:add_proto_expert_info(wrong.not_oam) end
  return tvb:len()
end

-- Options of Geneve ----------------------------------------------------------------------------------------------------------------

local OPTIONS = {
  [1] = { "Track option", function(r, tree) return r:fields(tree, TRACK) end },
  [2] = {
    "Report option",
    function(r, tree) return r:fields(tree, { session, message_number }) and show_record(r, tree) and r:fields(tree, RIDE_TAG) end,
  },
}

--- `r` reads the options; one of them begins at r.at.
local function show_option(r, root, pinfo)
  local head = r.tvb(r.at, 4)
  local size, class, kind = 4 * (head(3, 1):uint() % 32), head(0, 2):uint(), head(2, 1):uint() % 128
  local known = class == dyetrace.prefs.option_class and OPTIONS[kind]
  local stop = r.at + 4 + size
  if known then
    local tree = r:branch(root, 4 + size, known[1])
    local data = reader(r.tvb, r.at + 4, math.min(stop, r.stop))
    if stop > r.stop then tree:add_proto_expert_info(wrong.length) end
    if known[2](data, tree) and kind == 1 then
      local function u(offset, length) return r.tvb(r.at + 4 + offset, length):uint() end
      local text = string.format("session 0x%08x, path %d.%d, sequence %d", u(0, 4), u(4, 2), u(6, 1), u(8, 4))
      tree:append_text(": " .. text)
      pinfo.cols.info:append(" [tracked: " .. text .. "]")
    end
    data:done(tree)
  elseif class == dyetrace.prefs.option_class then
    local tree = r:branch(root, 4 + size, string.format("Option of type %d", kind))
    tree:add_proto_expert_info(wrong.unknown)
    reader(r.tvb, r.at + 4, math.min(stop, r.stop)):rest(tree, option_data)
  end
  r.at = stop
end

function options.dissector(_, pinfo, root)
  for _, header in ipairs({ geneve_version() }) do
    local tvb, at = header.source, header.offset
    if at + 8 <= tvb:len() then
      local r = reader(tvb, at + 8, math.min(at + 8 + 4 * (tvb(at, 1):uint() % 64), tvb:reported_len()))
      while r:left() >= 4 and r.at + 4 <= tvb:len() do show_option(r, root, pinfo) end
    end
  end
end

register_postdissector(options)
DissectorTable.get("ethertype"):add(0x88b5, dyetrace)

local listened
local function listen()
  local ports = DissectorTable.get("udp.port")
  if listened == dyetrace.prefs.udp_ports then return end
  if listened then ports:remove(listened, dyetrace) end
  listened = dyetrace.prefs.udp_ports
  ports:add(listened, dyetrace)
end
dyetrace.prefs_changed = listen
listen()
