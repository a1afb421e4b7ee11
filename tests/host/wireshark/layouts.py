# SPDX-License-Identifier: GPL-2.0-or-later
"""What a dissector has to find in a message: the layouts of docs/wire.md, read by tables of their own.

A layout is a text of `name:kind` in the order of the wire. Kinds: u8, u16, u24, u32, u64, i32, i64; ip6; a number for so many bytes; bits of a
flags field stand in brackets, as masks. `decode_*` gives a list of (field, value), the names without their "dyetrace.".
"""
import ipaddress
import re

RECORD = """path:u16 generation:u8 record.flags:u8[open=1,excess=2] record.intervals:u16 record.ttl_changes:u16
    record.sent:u64 record.received:u64 record.tracked_sent:u32 record.tracked_received:u32 record.duplicates:u32 record.late:u32
    record.delay_min:i64 record.delay_max:i64 record.delay_sum:i64 record.delay_count:u32 record.ce:u32 record.ecn_invalid:u32
    record.corrupted:u32 record.extent_max:u32 record.jitter:u32 record.ipdv_sum:i64 record.measured:i64"""
ENVELOPE = """version:u8 type:u8 key_id:u8 flags:u8[acceptor=1] length:u16 reserved:2 session:u32 number:u32 sender_boot:u64
    receiver_boot:u64"""
TRACK = """session:u32 path:u16 generation:u8 track.flags:u8[sent_ce=1] track.sequence:u32 track.transmit:i64 track.count:u64
    track.inner_length:u16 track.inner_checksum:u16 track.tag:8"""
METRICS = "counts=1,tracked=2,delay=4,jitter=8,reordering=16,ecn=32,ttl=64,corruption=128,quantiles=256"
SAMPLING = "sampling.kind:u8 sampling.parameter:u24 sampling.value:u32"

# Bodies with one layout, by type; those of the types that are not here repeat themselves or have an end of any length.
BODIES = {
    1: f"""requester_nonce:u64 acceptor_nonce:u64 request.source_port_base:u16 request.path_count:u16 request.port_count:u16
        request.option_type:u8 request.encapsulation:u8 {SAMPLING} request.metrics:u32[{METRICS}] request.tracked_rate:u32
        request.report_interval:i64 request.keep_alive_interval:i64 request.duration:i64 request.packet_cap:u64""",
    2: f"""requester_nonce:u64 acceptor_nonce:u64 accept.report_interval:i64 accept.keep_alive_interval:i64 accept.metrics:u32[{METRICS}]
        reserved:4""",
    3: "requester_nonce:u64 reject.reason:u8 reserved:3 reserved:4 reject.back_off:i64",
    4: """path:u16 generation:u8 marker.kind:u8 marker.interval:u16 reserved:2 marker.count:u64 marker.next_sequence:u32
        reserved:4""",
    5: "path:u16 generation:u8 marker.kind:u8 marker.interval:u16 reserved:2",
    7: "report_ack.number:u32 reserved:4 report_ack.sent:i64 report_ack.report_sent:i64 report_ack.delay:i64",
    8: "close.reason:u8 reserved:3",
    9: "",
    10: "path:u16 generation:u8 trace.ttl:u8 trace.number:u16 reserved:2",
    11: "path:u16 generation:u8 trace.ttl:u8 trace.number:u16 trace.ttl_received:u8 reserved:1",
    12: "",
    13: "requester_nonce:u64 acceptor_nonce:u64",
    33: "",
    34: f"directive.kind:u8 reserved:3 peer:ip6 {SAMPLING} directive.duration:i64",
    35: "result.status:u8 reserved:1 result.sessions:u16 result.paths:u16 reserved:2",
    36: "",
}
REPORT = """report.records:u16 report.flags:u16[delay=1] report.sent:i64 report.newest.transmit:i64 report.newest.delay:i64
    report.best.transmit:i64 report.best.delay:i64"""
SKETCH = "sketch.flags:u32[raw=1] sketch.sent:i64"
ENTRY_METRICS = f"peer:ip6 session:u32 {RECORD}"
ENTRY_PATH = """peer:ip6 session:u32 path:u16 generation:u8 traced.flags:u8[complete=1] traced.source_port:u16 traced.hops:u16
    traced.at:i64"""
ENTRY_SESSION = f"peer:ip6 session:u32 state:u8 reason:u8 reserved:2 {SAMPLING} offered:u64 tagged:u64 changed:i64"
ENTRY_TIMING = """peer:ip6 session:u32 timing.flags:u32[clock_known=1,round_trip_known=2,corrected=4] timing.offset:i64
    timing.bound:i64 timing.drift:i32 timing.steps:u32 timing.round_trip_min:i64 timing.round_trip_last:i64 timing.measured:i64
    timing.sketch_length:u16 reserved:2"""


def lines(layout):
    for text in layout.split():
        name, kind, bits = re.fullmatch(r"([\w.]+):(\w+)(?:\[(.*)\])?", text).groups()
        size = {"ip6": 16}.get(kind) or (int(kind) if kind.isdigit() else int(kind[1:]) // 8)
        yield name, kind, size, [bit.split("=") for bit in bits.split(",")] if bits else []


def size_of(layout):
    return sum(size for _, _, size, _ in lines(layout))


def leb128s(data):
    """All numbers; none where the last one has no end, or one has more than 64 bits."""
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if shift > 70:
            return None
        if byte < 0x80:
            numbers.append(value % (1 << 64))
            value = shift = 0
    return None if shift else numbers


class Cursor:
    """Takes a message apart from the front; at what is missing it raises EOFError and keeps what it found."""

    def __init__(self, data):
        self.data, self.at, self.found = data, 0, []

    def take(self, layout):
        first = len(self.found)
        for name, kind, size, bits in lines(layout):
            piece = self.data[self.at : self.at + size]
            if len(piece) < size:
                raise EOFError(name)
            self.at += size
            if kind == "ip6":
                value = ipaddress.IPv6Address(piece)
            elif kind.isdigit():
                value = piece.hex()
            else:
                value = int.from_bytes(piece, "big", signed=kind[0] == "i")
            self.found.append((name, value))
            self.found += [(f"{name}.{bit}", int(value & int(mask) != 0)) for bit, mask in bits]
        return dict(self.found[first:])

    def bytes(self, name, size):
        if size > 0:
            self.take(f"{name}:{size}")

    def record(self):
        values = self.take(RECORD)
        lost = values["record.sent"] - values["record.received"]
        self.found.append(("record.lost", (lost + (1 << 63)) % (1 << 64) - (1 << 63)))

    def sketch(self, size):
        """An encoded sketch: its bytes, and what they say where they can be read."""
        first = self.at
        self.bytes("sketch.encoding", size)
        data = self.data[first : first + size]
        numbers = leb128s(data[1:])
        if not data or numbers is None or len(numbers) < 2:
            return
        not_recorded, buckets, *rest = numbers
        named = [("level", data[0]), ("not_recorded", not_recorded), ("count", sum(rest[3::2]))]
        if not_recorded or buckets:
            if len(rest) != 2 + 2 * buckets:
                return
            least = rest[0] >> 1 ^ -(rest[0] & 1)
            named += [("min", least), ("max", (least + rest[1] + (1 << 63)) % (1 << 64) - (1 << 63))]
        self.found += [(f"sketch.{name}", value) for name, value in named]

    def entry(self):
        head = self.take("entry.kind:u8 reserved:1 entry.length:u16")
        end = self.at + head["entry.length"]
        if head["entry.kind"] == 1:
            self.take("peer:ip6 session:u32")
            self.record()
        elif head["entry.kind"] == 2:
            for _ in range(self.take(ENTRY_PATH)["traced.hops"]):
                self.take("traced.hop:ip6")
        elif head["entry.kind"] == 3:
            self.take(ENTRY_SESSION)
        elif head["entry.kind"] == 4:
            self.sketch(self.take(ENTRY_TIMING)["timing.sketch_length"])
        self.bytes("body", end - self.at)


def decode_body(cursor, kind, end):
    if kind in BODIES:
        cursor.take(BODIES[kind])
    elif kind == 6:
        for _ in range(cursor.take(REPORT)["report.records"]):
            cursor.record()
    elif kind == 14:
        cursor.take(SKETCH)
        cursor.sketch(end - cursor.at)
    elif kind == 32:
        for _ in range(cursor.take("update.entries:u16 reserved:2")["update.entries"]):
            cursor.entry()
    cursor.bytes("body", end - cursor.at)


def message_from(cursor):
    head = cursor.take(ENVELOPE)
    decode_body(cursor, head["type"], head["length"] - 16)
    cursor.take("tag:16")
    cursor.bytes("padding", len(cursor.data) - cursor.at)


def option_from(cursor, kind):
    if kind == 1:
        cursor.take(TRACK)
    elif kind == 2:
        cursor.take("session:u32 number:u32")
        cursor.record()
        cursor.take("ride.tag:8")


def decode(unit, data, *rest, cut=False):
    """The fields of `data`; with `cut`, those that are there although it ends too early."""
    cursor = Cursor(data)
    try:
        unit(cursor, *rest)
    except EOFError:
        if not cut:
            raise
    return cursor.found


def decode_message(data, cut=False):
    return decode(message_from, data, cut=cut)


def decode_option(kind, data, cut=False):
    return decode(option_from, data, kind, cut=cut)
