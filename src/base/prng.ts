/** 32-bit FNV-1a of a string: names a random substream, a handler or a profile. */
function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/**
 * Seeded random numbers (sfc32, public domain). Each component draws from its own substream, named after it, so that
 * adding a component never changes what another one draws.
 */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream: string) {
    this.#a = seed >>> 0;
    this.#b = hashText(stream);
    this.#c = Math.floor(seed / 0x100000000) >>> 0;
    for (let i = 0; i < 15; i++) this.u32();
  }

  /** A uniform integer in [0, 2^32). */
  u32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t | 0;
    return t >>> 0;
  }

  /** A uniform real in [0, 1) with 32 bits of resolution. */
  unit(): number {
    return this.u32() / 0x100000000;
  }

  /** A uniform integer in [0, bound), bound at most 2^32. */
  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }
}
