# SPDX-License-Identifier: GPL-2.0-or-later
"""Sets what was measured beside what was dropped. Measurement comes from the daemons alone, truth from the nftables
counters alone."""

import daemons

OPTION_SHARE = (0.003, 0.03)  # of data packets, at 1% asked for


def direction(sender, receiver, fault, every):
    """One direction: `sender` and `receiver` are final summaries, `fault` the counters at the receiver's ingress."""
    session = daemons.session(sender)
    totals = session["totals"] if session else None
    found = {
        "from": sender["address"],
        "to": receiver["address"],
        "drop_every": every,
        "state": session["state"] if session else None,
        "encapsulated": sender["counters"]["encapsulated"],
        "tagged": sender["counters"]["tagged"],
        "sent": totals["sent"] if totals else None,
        "received": totals["received"] if totals else None,
        "dropped": fault["dropped"],
        "dropped_tagged": fault["dropped_tagged"],
        "lost_by_counts": totals["lost"] if totals else None,
        "lost_by_sequence": totals["tracked_lost"] if totals else None,
        "arrived_at_fault": fault["arrived"],
        # Other places where a packet can vanish between the two engines; all zero, or the figures cannot be exact.
        "not_sent": sender["counters"]["data_send_failed"],
        "ring_full": next(port["ring_full"] for port in receiver["ports"] if port["role"] == "underlay"),
        "open_paths": totals["open_paths"] if totals else None,
        "excess_paths": totals["excess_paths"] if totals else None,
    }
    found["failures"] = _failures(found)
    return found


def _failures(d):
    """Why this direction is not good, in words; nothing where it is."""
    if d["sent"] is None:
        return ["no session was measured"]
    failures = []

    def require(holds, message):
        if not holds:
            failures.append(message)

    require(d["state"] == "closed", f"the session ended as {d['state']}")
    require(d["open_paths"] == 0, f"{d['open_paths']} paths have an unsettled tail")
    require(d["excess_paths"] == 0, f"{d['excess_paths']} paths received more than was sent")
    require(d["not_sent"] == 0, f"the sender's interface did not take {d['not_sent']} data packets")
    require(d["ring_full"] == 0, f"the receiver's ring was full for {d['ring_full']} packets")
    require(
        d["arrived_at_fault"] == d["encapsulated"] - d["not_sent"],
        f"{d['encapsulated']} data packets were sent, {d['arrived_at_fault']} came to the fault",
    )
    require(d["dropped"] > 0 or d["drop_every"] == 0, "the fault dropped nothing")
    elsewhere = d["not_sent"] + d["ring_full"]
    require(
        d["lost_by_counts"] == d["dropped"] + elsewhere,
        f"lost by counts {d['lost_by_counts']}, dropped {d['dropped']}"
        + (f" and {elsewhere} elsewhere" if elsewhere else ""),
    )
    require(
        d["dropped_tagged"] <= d["lost_by_sequence"] <= d["dropped_tagged"] + elsewhere,
        f"lost by sequence {d['lost_by_sequence']}, tagged packets dropped {d['dropped_tagged']}",
    )
    return failures


def capture_failures(capture, encapsulation="geneve", has_vlan=False):
    failures = []
    if capture["malformed"]:
        failures.append(f"{capture['malformed']} malformed packets in the capture")
    if capture["bad_checksum"]:
        failures.append(f"{capture['bad_checksum']} bad checksums in the capture")
    if capture["other"]:
        failures.append(f"{capture['other']} packets in the capture are not of the tunnel")
    if capture["inner_decoded"] != capture["data"]:
        failures.append(f"{capture['data'] - capture['inner_decoded']} inner frames in the capture were not decoded")
    if capture["inner_vlan"] != (capture["data"] if has_vlan else 0):
        failures.append(f"{capture['inner_vlan']} of {capture['data']} inner frames in the capture have a VLAN tag")
    share = capture["option_share"]
    if encapsulation == "vxlan":  # which has no options
        if capture["tagged"]:
            failures.append(f"{capture['tagged']} packets of the capture have an option")
    elif share is None or not OPTION_SHARE[0] <= share <= OPTION_SHARE[1]:
        failures.append(f"the option is on {'no' if share is None else format(share, '.2%')} of the captured data packets")
    return failures


def moved_failures(final, path):
    """Whether the path was moved, and was measured before and after."""
    failures = []
    if final["counters"]["repaths"] != 1:
        failures.append(f"{final['counters']['repaths']} paths of {final['address']} were moved, not 1")
    found = daemons.session(final)
    measured = {p["generation"]: p["sent"] for p in found["paths"] if p["path"] == path} if found else {}
    if not all(measured.get(generation) for generation in (0, 1)):
        failures.append(f"path {path} of {final['address']} was measured as {measured or 'nothing'} by generation")
    return failures


def to_text(result, talk):
    """The table that `make lab` prints; `talk` is a line of what the guests did."""
    lines = []
    for d in result["directions"]:
        lines += [
            f"{d['from']} -> {d['to']}: every {d['drop_every']}th data packet dropped"
            if d["drop_every"]
            else f"{d['from']} -> {d['to']}: nothing dropped",
            f"  data packets sent, START to END    {_number(d['sent'])}   (encapsulated in all {d['encapsulated']})",
            f"  of these tagged                    {_number(d['tagged'])}",
            f"  dropped, nftables counter          {_number(d['dropped'])}   of tagged {d['dropped_tagged']}",
            f"  lost by counts                     {_number(d['lost_by_counts'])}   " + _sign(d, "lost_by_counts", "dropped"),
            f"  lost by sequence (tagged packets)  {_number(d['lost_by_sequence'])}   "
            + _sign(d, "lost_by_sequence", "dropped_tagged"),
            f"  lost at a full ring or sender      {_number(d['ring_full'] + d['not_sent'])}",
        ]
    capture = result["capture"]
    lines.append(talk)
    lines += [f"path {path} to {peer} moved in mid-traffic" for peer, path in result["moved"]]
    lines.append(
        f"capture: {capture['packets']} packets, {capture['malformed']} malformed, {capture['bad_checksum']} bad checksums, "
        f"option on {capture['option_share'] or 0:.2%} of {capture['data']} data packets"
    )
    lines += [f"FAIL: {failure}" for failure in result["failures"]]
    if not result["failures"]:
        lines.append("PASS: loss by counts equals the nftables counter, in both directions")
    return "\n".join(lines)


def _number(value):
    return f"{'-' if value is None else value:>9}"


def _sign(d, measured, truth):
    return "= dropped" if d[measured] == d[truth] else "DIFFERS"
