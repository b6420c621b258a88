/**
 * MX sequence numbers: 16 bits on the wire, the low 14 a sequence that wraps, the high 2 the partner's session number
 * ("sesnum"), which changes only when a partner is reset (Open-MX omx_types.h:79-101).
 */
export const SEQ_MASK = 0x3fff;
// Again, because V8 reads what is exported each time.
const SEQ = SEQ_MASK;
const SESNUM = 0xc000;
/** At most this many sequence numbers may be unacknowledged; further sends wait (omx_types.h:112). */
export const SEQ_WINDOW = 8191;

/** The 14-bit distance from `from` up to `to`. */
export function seqOffset(to: number, from: number): number {
  return (to - from) & SEQ;
}

/** `seq` + `step` in its low 14 bits; the session number stays. */
export function seqAdd(seq: number, step: number): number {
  return (seq & SESNUM) | ((seq + step) & SEQ);
}

/** The session-number bits of a 16-bit sequence. */
export function sesnum(seq: number): number {
  return seq & SESNUM;
}

/** The session number after that of `seq`, of which there are four. */
export function nextSesnum(seq: number): number {
  return (seq + 0x4000) & SESNUM;
}
