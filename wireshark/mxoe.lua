-- Wireshark dissector for MX over Ethernet (Open-MX 1.5, and MX 1.2 compatible), EtherType 0x86DF.
--
--   wireshark -X lua_script:mxoe.lua capture.pcapng
--   tshark -X lua_script:mxoe.lua -o mxoe.compat:TRUE -r capture.pcapng -Y 'mxoe.type == 40'
--
-- or copy it into the personal Lua plugin folder (Help, About, Folders). Filters have the names of the protocol's own
-- header file: mxoe.lib_seqnum, mxoe.match_info, mxoe.pulled_rdma_id. Offsets below count from the start of the frame;
-- Wireshark hands over what is behind the 14 bytes of the Ethernet header.

local mxoe = Proto("mxoe", "MX over Ethernet")
local ETHERNET = 14
local PEER_UNKNOWN = 0xffff

mxoe.prefs.compat = Pref.bool("MX 1.2 compatible layout", false, "PULL and MEDIUM in the layout of MX 1.2")

local TYPES = {
  [0] = "NONE", [1] = "RAW", [2] = "MFM_NIC_REPLY", [3] = "HOST_QUERY", [4] = "HOST_REPLY",
  [32] = "ETHER_UNICAST", [33] = "ETHER_MULTICAST", [34] = "ETHER_NATIVE",
  [35] = "TRUC", [36] = "CONNECT", [37] = "TINY", [38] = "SMALL", [39] = "MEDIUM", [40] = "RNDV",
  [41] = "PULL", [42] = "PULL_REPLY", [43] = "NOTIFY", [44] = "NACK_LIB", [45] = "NACK_MCP",
}
local NACKS = { [0] = "none", [1] = "bad endpoint", [2] = "endpoint closed", [3] = "bad session", [4] = "bad region" }
local STATUS = { [0] = "OK", [11] = "bad key" }
local TRUC_ACK = 0x55

local f = {}

local function number(name, title, display, texts)
  f[name] = ProtoField.uint32("mxoe." .. name, title, display or base.DEC, texts)
end

f.type = ProtoField.uint8("mxoe.type", "Packet type", base.DEC, TYPES)
number("dst_src_peer_index", "Peer index that the receiver gave to the sender")
number("dst_endpoint", "Destination endpoint")
number("src_endpoint", "Source endpoint")
number("src_generation", "Source generation (unused)")
number("length", "Length")
number("checksum", "Checksum (debug libraries only)", base.HEX)
number("lib_seqnum", "Sequence number")
number("lib_piggyack", "Piggybacked ack")
number("seq", "Sequence, low 14 bits")
number("sesnum", "Session number of the partner, high 2 bits")
f.match_info = ProtoField.uint64("mxoe.match_info", "Match information", base.HEX)
number("match_a", "Match information, upper half", base.HEX)
number("match_b", "Match information, lower half", base.HEX)
number("session", "Session of the destination endpoint", base.HEX)
number("frag_length", "Fragment length")
number("frag_seqnum", "Fragment number")
number("frag_pipeline", "log2 of the fragment size")
number("msg_length", "Message length")
number("pulled_rdma_id", "Region")
number("pulled_rdma_seqnum", "Region sequence")
number("pulled_rdma_offset", "Offset in the region")
number("total_length", "Total length")
number("src_pull_handle", "Pull handle of the puller", base.HEX)
number("src_magic", "Magic of the puller", base.HEX)
number("first_frame_offset", "Bytes to skip in the first frame")
number("block_length", "Block length")
number("frame_index", "Number of the block's first frame")
number("frame_seqnum", "Frame number, modulo 256")
number("frame_length", "Frame length")
number("msg_offset", "Offset in the message")
number("dst_pull_handle", "Pull handle of the puller", base.HEX)
number("dst_magic", "Magic of the puller", base.HEX)
number("truc_type", "TRUC type", base.HEX, { [TRUC_ACK] = "ACK" })
number("session_id", "Session, again", base.HEX)
number("acknum", "Number of the ack")
number("send_seq", "Ack, again")
number("resent", "Resent")
number("src_dst_peer_index", "Peer index that the sender gave to the receiver")
number("src_session_id", "Session of the requester", base.HEX)
number("app_key", "Application key", base.HEX)
number("target_session_id", "Session of the replier", base.HEX)
number("target_recv_seqnum_start", "Next expected sequence number")
number("is_reply", "Is a reply")
number("connect_seqnum", "Number of the connect")
number("connect_status_code", "Status", base.DEC, STATUS)
number("nack_type", "Why it is refused", base.DEC, NACKS)
number("nack_dst_src_peer_index", "Peer index of the head, again")
number("magic", "Magic", base.HEX)
f.hostname = ProtoField.string("mxoe.hostname", "Host name")
number("nic_id_high", "Board number, upper half", base.HEX)
number("nic_id_low", "Board number, lower half", base.HEX)
number("serial", "Serial of the daemon", base.HEX)
f.payload = ProtoField.bytes("mxoe.payload", "Payload")
f.padding = ProtoField.bytes("mxoe.padding", "Padding")
f.request_in = ProtoField.framenum("mxoe.request_in", "Answers", base.NONE, frametype.REQUEST)
f.response_in = ProtoField.framenum("mxoe.response_in", "Answered first in", base.NONE, frametype.RESPONSE)
f.retransmission_of = ProtoField.framenum("mxoe.retransmission_of", "Sent before in", base.NONE, frametype.DUP_ACK)

local all = {}
for _, field in pairs(f) do all[#all + 1] = field end
mxoe.fields = all

local function fault(name, text)
  return ProtoExpert.new("mxoe." .. name, text, expert.group.MALFORMED, expert.severity.ERROR)
end

local e = {
  short_header = fault("short_header", "Header cut short"),
  bad_datalen = fault("bad_datalen", "Bad data length"),
  bad_frame_length = fault("bad_frame_length", "Payload longer than frame"),
  invalid_type = fault("invalid_type", "Invalid type"),
  unknown_type = fault("unknown_type", "Unknown type"),
  bad_truc_type = fault("bad_truc_type", "Bad TRUC type"),
  raw_too_large = fault("raw_too_large", "Raw frame too large"),
  retransmission = ProtoExpert.new("mxoe.retransmission", "Retransmission", expert.group.SEQUENCE, expert.severity.NOTE),
  refused = ProtoExpert.new("mxoe.refused", "Refused", expert.group.RESPONSE_CODE, expert.severity.NOTE),
}
local experts = {}
for _, one in pairs(e) do experts[#experts + 1] = one end
mxoe.experts = experts

-- Layouts: name, offset, width. Every field is big-endian.
local ENDPOINTS = { { "dst_endpoint", 17, 1 }, { "src_endpoint", 18, 1 }, { "src_generation", 19, 1 } }
local MESSAGE = {
  { "lib_seqnum", 24, 2 }, { "lib_piggyack", 26, 2 }, { "match_info", 28, 8 },
  { "match_a", 28, 4 }, { "match_b", 32, 4 }, { "session", 36, 4 },
}

local function layout(header, ...)
  local fields = {}
  for _, part in ipairs({ ... }) do
    for _, field in ipairs(part) do fields[#fields + 1] = field end
  end
  return { header = header, fields = fields }
end

local EAGER = layout(40, ENDPOINTS, { { "length", 20, 2 }, { "checksum", 22, 2 } }, MESSAGE)
local LAYOUTS = {
  [1] = layout(44, { { "nic_id_high", 32, 4 }, { "nic_id_low", 36, 4 }, { "serial", 40, 4 } }),
  [3] = layout(32, { { "src_dst_peer_index", 18, 2 }, { "magic", 24, 4 } }),
  [4] = layout(32, { { "length", 17, 1 }, { "src_dst_peer_index", 18, 2 }, { "magic", 24, 4 } }),
  [35] = layout(44, ENDPOINTS, {
    { "length", 20, 1 }, { "session", 24, 4 }, { "truc_type", 28, 1 }, { "lib_seqnum", 30, 2 },
    { "session_id", 32, 4 }, { "acknum", 36, 4 }, { "send_seq", 40, 2 }, { "resent", 42, 1 },
  }),
  [36] = layout(48, ENDPOINTS, {
    { "length", 20, 1 }, { "lib_seqnum", 24, 2 }, { "src_dst_peer_index", 26, 2 }, { "src_session_id", 32, 4 },
    { "target_recv_seqnum_start", 40, 2 }, { "is_reply", 42, 1 }, { "connect_seqnum", 43, 1 },
  }),
  [37] = EAGER,
  [38] = EAGER,
  [39] = layout(48, ENDPOINTS, { { "length", 20, 4 } }, MESSAGE, {
    { "frag_length", 40, 2 }, { "frag_seqnum", 42, 1 }, { "checksum", 44, 2 },
  }),
  [40] = layout(48, ENDPOINTS, { { "length", 20, 2 } }, MESSAGE, {
    { "msg_length", 40, 4 }, { "pulled_rdma_id", 44, 1 }, { "pulled_rdma_seqnum", 45, 1 },
    { "pulled_rdma_offset", 46, 2 },
  }),
  [41] = layout(60, ENDPOINTS, {
    { "session", 20, 4 }, { "total_length", 24, 4 }, { "pulled_rdma_id", 28, 4 }, { "pulled_rdma_seqnum", 32, 1 },
    { "pulled_rdma_offset", 36, 4 }, { "src_pull_handle", 40, 4 }, { "src_magic", 44, 4 },
    { "first_frame_offset", 48, 4 }, { "block_length", 52, 4 }, { "frame_index", 56, 4 },
  }),
  [42] = layout(32, {
    { "frame_seqnum", 17, 1 }, { "frame_length", 18, 2 }, { "msg_offset", 20, 4 }, { "dst_pull_handle", 24, 4 },
    { "dst_magic", 28, 4 },
  }),
  [43] = layout(40, ENDPOINTS, {
    { "session", 20, 4 }, { "total_length", 24, 4 }, { "pulled_rdma_id", 28, 1 }, { "pulled_rdma_seqnum", 29, 1 },
    { "lib_seqnum", 34, 2 }, { "lib_piggyack", 36, 2 },
  }),
  [44] = layout(32, {
    { "src_endpoint", 17, 1 }, { "src_generation", 18, 1 }, { "nack_type", 19, 1 }, { "dst_endpoint", 25, 1 },
    { "nack_dst_src_peer_index", 26, 2 }, { "lib_seqnum", 28, 2 },
  }),
  [45] = layout(32, {
    { "src_endpoint", 17, 1 }, { "src_generation", 18, 1 }, { "nack_type", 19, 1 }, { "src_pull_handle", 24, 4 },
    { "src_magic", 28, 4 },
  }),
}
local COMPAT = {
  [39] = layout(48, ENDPOINTS, { { "length", 20, 2 } }, MESSAGE, {
    { "frag_length", 40, 2 }, { "frag_seqnum", 42, 1 }, { "frag_pipeline", 43, 1 }, { "checksum", 44, 2 },
  }),
  [41] = layout(48, ENDPOINTS, {
    { "session", 20, 4 }, { "total_length", 24, 4 }, { "pulled_rdma_id", 28, 1 }, { "pulled_rdma_seqnum", 29, 1 },
    { "pulled_rdma_offset", 30, 2 }, { "src_pull_handle", 32, 4 }, { "src_magic", 36, 4 },
    { "first_frame_offset", 40, 2 }, { "block_length", 42, 2 }, { "frame_index", 44, 4 },
  }),
}
local CONNECT_REQUEST = layout(48, { { "app_key", 36, 4 } })
local CONNECT_REPLY = layout(48, { { "target_session_id", 36, 4 }, { "connect_status_code", 44, 1 } })

-- Adds the fields of a layout to the tree; values go into `v` by name.
local function add(tree, tvb, fields, v)
  for _, field in ipairs(fields) do
    local name, offset, width = field[1], field[2], field[3]
    local range = tvb(offset - ETHERNET, width)
    local item = tree:add(f[name], range)
    if width <= 4 then v[name] = range:uint() end
    if name == "lib_seqnum" then
      item:add(f.seq, range, range:uint() % 16384):set_generated()
      item:add(f.sesnum, range, math.floor(range:uint() / 16384)):set_generated()
    end
  end
end

-- Most bytes that the length field of a type may name, and that field.
local PAYLOADS = {
  [4] = { "length", 255 }, [37] = { "length", 32 }, [38] = { "length", 128 },
  [39] = { "frag_length", 8192 }, [42] = { "frame_length", 0xffff },
}
local LEAST = { [35] = 16, [36] = 16, [40] = 8 }

-- What the driver would refuse the frame for: the order is its own. `frame` is the length that it had on the wire.
local function check(kind, v, frame, header, compat)
  local room = frame - header
  local payload = PAYLOADS[kind]
  if payload ~= nil then
    local most = (compat and kind == 39) and 4096 or payload[2]
    if v[payload[1]] > most then return e.bad_datalen end
    if v[payload[1]] > room then return e.bad_frame_length end
  end
  if kind == 35 and v.truc_type ~= TRUC_ACK then return e.bad_truc_type end
  if LEAST[kind] ~= nil and v.length < LEAST[kind] then return e.bad_datalen end
  if kind == 1 and frame > 1024 then return e.raw_too_large end
  return nil
end

-- What frames have to do with each other, learnt when they are read first.
local requests, retransmissions, responses, answers, flows, pulls
-- Seconds until the same number counts as sent again. Libraries wait for half a second; a capture at several places has
-- every frame several times, and much closer together.
local RESEND = 0.4

function mxoe.init()
  requests, retransmissions, responses, answers, flows, pulls = {}, {}, {}, {}, {}, {}
end

local function key(...)
  local words = { ... }
  for i = 1, #words do words[i] = tostring(words[i]) end
  return table.concat(words, " ")
end

local function ask(name, frame)
  requests[name] = frame
end

local function answer(name, frame)
  local request = requests[name]
  if request == nil then return end
  answers[frame] = request
  if responses[request] == nil then responses[request] = frame end
end

-- Each block of a pull begins where the one before it ends: a reply belongs to the block that its offset is in.
local function learn_pull(name, v, frame)
  local pull = pulls[name]
  if pull == nil or (v.frame_index == 0 and pull.total ~= v.total_length) then
    pull = { total = v.total_length, next = 0, blocks = {} }
    pulls[name] = pull
  end
  for _, block in ipairs(pull.blocks) do
    if block.index == v.frame_index then
      block.frame = frame
      return
    end
  end
  pull.blocks[#pull.blocks + 1] = { index = v.frame_index, from = pull.next, length = v.block_length, frame = frame }
  pull.next = pull.next + v.block_length
end

local function learn_reply(name, v, frame)
  for _, block in ipairs(pulls[name] and pulls[name].blocks or {}) do
    if v.msg_offset >= block.from and v.msg_offset < block.from + block.length then
      answers[frame] = block.frame
      if responses[block.frame] == nil then responses[block.frame] = frame end
      return
    end
  end
end

-- A number that the flow has used already, and not a whole round ago.
local function learn_sequence(name, v, frame, now)
  local flow = flows[name]
  if flow == nil then
    flow = { highest = v.lib_seqnum, seen = {} }
    flows[name] = flow
  end
  local seq, part = v.lib_seqnum, v.frag_seqnum or 0
  local ahead = (seq - flow.highest) % 16384
  if ahead > 0 and ahead < 8192 then
    for step = 1, ahead do flow.seen[(flow.highest + step + 8192) % 16384] = nil end
    flow.highest = seq
  end
  local slot = seq % 16384
  local seen = flow.seen[slot]
  if seen == nil or seen.seq ~= seq then
    seen = { seq = seq }
    flow.seen[slot] = seen
  end
  local before = seen[part]
  if before == nil then
    seen[part] = { frame = frame, at = now }
  elseif now - before.at > RESEND then
    retransmissions[frame] = before.frame
    before.at = now
  elseif retransmissions[before.latest] ~= nil then
    retransmissions[frame] = before.frame -- the same resend, seen at another place
  end
  if before ~= nil then before.latest = frame end
end

local NUMBERED = { [37] = true, [38] = true, [39] = true, [40] = true, [43] = true }

local function learn(kind, v, pinfo)
  local src, dst, frame = tostring(pinfo.dl_src), tostring(pinfo.dl_dst), pinfo.number
  if NUMBERED[kind] then
    learn_sequence(key(src, v.src_endpoint, dst, v.dst_endpoint, v.session), v, frame, pinfo.rel_ts)
  end
  if kind == 36 and v.is_reply == 0 then
    ask(key("connect", src, dst, v.src_session_id, v.connect_seqnum), frame)
  elseif kind == 36 then
    answer(key("connect", dst, src, v.src_session_id, v.connect_seqnum), frame)
  elseif kind == 40 then
    ask(key("rndv", src, dst, v.src_endpoint, v.pulled_rdma_id, v.pulled_rdma_seqnum), frame)
  elseif kind == 43 then
    answer(key("rndv", dst, src, v.dst_endpoint, v.pulled_rdma_id, v.pulled_rdma_seqnum), frame)
  elseif kind == 41 then
    learn_pull(key(src, dst, v.src_pull_handle, v.src_magic), v, frame)
    ask(key("pull", src, dst, v.src_pull_handle, v.src_magic), frame)
  elseif kind == 42 then
    learn_reply(key(dst, src, v.dst_pull_handle, v.dst_magic), v, frame)
  elseif kind == 45 then
    answer(key("pull", dst, src, v.src_pull_handle, v.src_magic), frame)
  elseif kind == 3 then
    ask(key("host", src, dst, v.magic), frame)
  elseif kind == 4 then
    answer(key("host", dst, src, v.magic), frame)
  end
end

local function seq_text(value)
  local generation = math.floor(value / 16384)
  return generation == 0 and tostring(value) or string.format("%d/s%d", value % 16384, generation)
end

local function message_text(v)
  return string.format("ep %d > %d, seq %s, ack %s, match 0x%08x:%08x, session 0x%08x", v.src_endpoint, v.dst_endpoint,
    seq_text(v.lib_seqnum), seq_text(v.lib_piggyack), v.match_a, v.match_b, v.session)
end

local function region_text(v)
  return string.format("region %d/%d", v.pulled_rdma_id, v.pulled_rdma_seqnum)
end

local function eager_text(v)
  return string.format("%s, length %d", message_text(v), v.length)
end

-- One line for each type, as `mxtop decode` has it.
local TEXTS = {
  [1] = function(v) return string.format("nic 0x%08x%08x, serial 0x%08x", v.nic_id_high, v.nic_id_low, v.serial) end,
  [3] = function(v) return string.format("index %d, magic 0x%08x", v.src_dst_peer_index, v.magic) end,
  [4] = function(v)
    return string.format("index %d, magic 0x%08x, name \"%s\"", v.src_dst_peer_index, v.magic, v.hostname or "")
  end,
  [35] = function(v)
    local inner = v.session_id ~= v.session and string.format(" (inner 0x%08x)", v.session_id) or ""
    return string.format("ep %d > %d, ack %s, acknum %d, session 0x%08x%s", v.src_endpoint, v.dst_endpoint,
      seq_text(v.lib_seqnum), v.acknum, v.session, inner)
  end,
  [36] = function(v)
    local kind = v.is_reply ~= 0
      and string.format("reply, target session 0x%08x, status %d", v.target_session_id, v.connect_status_code)
      or string.format("request, key 0x%08x", v.app_key)
    return string.format("ep %d > %d, %s, session 0x%08x, start %s, connect %d, index %d", v.src_endpoint,
      v.dst_endpoint, kind, v.src_session_id, seq_text(v.target_recv_seqnum_start), v.connect_seqnum,
      v.src_dst_peer_index)
  end,
  [37] = eager_text,
  [38] = eager_text,
  [39] = function(v)
    return string.format("%s, frag %d, %d of length %d", message_text(v), v.frag_seqnum, v.frag_length, v.length)
  end,
  [40] = function(v)
    return string.format("%s, %s offset %d, length %d", message_text(v), region_text(v), v.pulled_rdma_offset,
      v.msg_length)
  end,
  [41] = function(v)
    return string.format("ep %d > %d, session 0x%08x, %s offset %d, handle 0x%08x, magic 0x%08x, " ..
      "frame index %d skip %d, block %d of length %d", v.src_endpoint, v.dst_endpoint, v.session, region_text(v),
      v.pulled_rdma_offset, v.src_pull_handle, v.src_magic, v.frame_index, v.first_frame_offset, v.block_length,
      v.total_length)
  end,
  [42] = function(v)
    return string.format("handle 0x%08x, magic 0x%08x, frame seq %d, offset %d, length %d", v.dst_pull_handle,
      v.dst_magic, v.frame_seqnum, v.msg_offset, v.frame_length)
  end,
  [43] = function(v)
    return string.format("ep %d > %d, seq %s, ack %s, session 0x%08x, %s, length %d", v.src_endpoint, v.dst_endpoint,
      seq_text(v.lib_seqnum), seq_text(v.lib_piggyack), v.session, region_text(v), v.total_length)
  end,
  [44] = function(v)
    return string.format("ep %d > %d, %s, seq %s", v.src_endpoint, v.dst_endpoint,
      NACKS[v.nack_type] or ("nack type " .. v.nack_type), seq_text(v.lib_seqnum))
  end,
  [45] = function(v)
    return string.format("ep %d, %s, handle 0x%08x, magic 0x%08x", v.src_endpoint,
      NACKS[v.nack_type] or ("nack type " .. v.nack_type), v.src_pull_handle, v.src_magic)
  end,
}

-- The host name, and where what is behind it begins.
local function add_hostname(tree, tvb, v)
  local room = math.min(v.length, tvb:len() - (32 - ETHERNET))
  if room <= 0 then return end
  local range = tvb(32 - ETHERNET, room)
  v.hostname = range:stringz()
  tree:add(f.hostname, range, v.hostname)
end

local function add_payload(tree, tvb, kind, v, header)
  local payload = PAYLOADS[kind]
  local from = header - ETHERNET
  local size = payload and v[payload[1]] or 0
  local here = math.max(0, math.min(size, tvb:len() - from))
  if here > 0 and kind ~= 4 then tree:add(f.payload, tvb(from, here)) end
  local rest = from + here
  if rest < tvb:len() then tree:add(f.padding, tvb(rest)) end
end

local function add_relations(tree, number)
  if answers[number] then tree:add(f.request_in, answers[number]):set_generated() end
  if responses[number] then tree:add(f.response_in, responses[number]):set_generated() end
  if retransmissions[number] then
    tree:add(f.retransmission_of, retransmissions[number]):set_generated()
    tree:add_proto_expert_info(e.retransmission)
  end
end

function mxoe.dissector(tvb, pinfo, root)
  pinfo.cols.protocol = "MXoE"
  local tree = root:add(mxoe, tvb())
  local frame = tvb:reported_len() + ETHERNET
  if frame <= 16 then
    tree:add_proto_expert_info(e.short_header)
    return tvb:len()
  end
  tree:add(f.dst_src_peer_index, tvb(0, 2))
  tree:add(f.type, tvb(2, 1))
  local peer, kind = tvb(0, 2):uint(), tvb(2, 1):uint()
  local name = TYPES[kind] or ("type " .. kind)
  pinfo.cols.info = "MX " .. name
  tree:append_text(", " .. name)

  local shape = mxoe.prefs.compat and COMPAT[kind] or LAYOUTS[kind]
  if shape == nil then
    tree:add_proto_expert_info((TYPES[kind] and kind ~= 0) and e.invalid_type or e.unknown_type)
    return tvb:len()
  end
  if frame < shape.header then
    tree:add_proto_expert_info(e.short_header)
    return tvb:len()
  end
  local v = {}
  add(tree, tvb, shape.fields, v)
  if kind == 36 then add(tree, tvb, (v.is_reply ~= 0 and CONNECT_REPLY or CONNECT_REQUEST).fields, v) end
  if kind == 4 then add_hostname(tree, tvb, v) end
  add_payload(tree, tvb, kind, v, shape.header)

  local wrong = check(kind, v, frame, shape.header, mxoe.prefs.compat)
  if wrong ~= nil then tree:add_proto_expert_info(wrong) end
  if kind == 44 or kind == 45 then tree:add_proto_expert_info(e.refused) end
  if not pinfo.visited and wrong == nil then learn(kind, v, pinfo) end
  add_relations(tree, pinfo.number)

  local peer_text = ""
  if kind >= 35 and kind ~= 42 then peer_text = " peer " .. (peer == PEER_UNKNOWN and "?" or peer) end
  pinfo.cols.info = string.format("MX %s%s %s, frame %d", name, peer_text, TEXTS[kind](v), frame)
  return tvb:len()
end

DissectorTable.get("ethertype"):add(0x86df, mxoe)
