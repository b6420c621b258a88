/** Instead of a port: the address was never seen. */
export const UNKNOWN_MAC = -1;

const FREE = -1;
/** Places at first: two to this power. */
const FEW_BITS = 6;
/** Spreads numbers that count up over the upper bits of a product (Knuth's multiplicative hash, 2^32 / golden ratio). */
const SPREAD = 0x9e3779b1;

/**
 * What a bridge has learned: a port by the low 32 bits of a MAC address, which are unique within an emulated cluster.
 *
 * Open addressing in two arrays, at most half full: it is asked twice for each frame, and the language's own map takes
 * three times as long.
 *
 *   macs[i]    the address in place i, if there is one
 *   ports[i]   where it is, -1 when the place is free
 */
export class MacTable {
  /** Addresses that are known. */
  size = 0;
  #macs = new Int32Array(1 << FEW_BITS);
  #ports = new Int32Array(1 << FEW_BITS).fill(FREE);
  /** Of a hash, all but the bits that number a place. */
  #shift = 32 - FEW_BITS;

  /** Port of an address (32 bits, signed), {@link UNKNOWN_MAC} when it has none. */
  get(mac: number): number {
    return this.#ports[this.#placeOf(mac)]; // a free place says that it is unknown
  }

  /** Sets the port of an address; false if it was that already. */
  put(mac: number, port: number): boolean {
    const place = this.#placeOf(mac);
    if (this.#ports[place] === port) return false;
    if (this.#ports[place] === FREE) {
      this.#macs[place] = mac;
      this.size++;
    }
    this.#ports[place] = port;
    if (this.size * 2 > this.#macs.length) this.#grow();
    return true;
  }

  /** Where an address is, or else would be. */
  #placeOf(mac: number): number {
    const last = this.#macs.length - 1;
    let place = Math.imul(mac, SPREAD) >>> this.#shift;
    while (this.#ports[place] !== FREE && this.#macs[place] !== mac) place = (place + 1) & last;
    return place;
  }

  #grow(): void {
    const macs = this.#macs;
    const ports = this.#ports;
    this.#macs = new Int32Array(macs.length * 2);
    this.#ports = new Int32Array(macs.length * 2).fill(FREE);
    this.#shift--;
    for (let i = 0; i < macs.length; i++) {
      if (ports[i] === FREE) continue;
      const place = this.#placeOf(macs[i]);
      this.#macs[place] = macs[i];
      this.#ports[place] = ports[i];
    }
  }
}
