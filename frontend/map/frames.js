// Reads the stream of positions. The format: docs/reference/positions-stream.md; its twin: picture/frames.py.
export const HEADER_BYTES = 48;
export const SNAPSHOT = 1;
const MAGIC = 0x5032;
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const text = new TextDecoder();

/** One whole frame as views on its columns; nothing is copied. */
export function decode(buffer, start, length) {
  const head = new DataView(buffer, start, HEADER_BYTES);
  const movers = head.getUint32(28, true);
  const gone = head.getUint32(32, true);
  const said = head.getUint32(36, true);
  if (head.getUint16(4, true) !== MAGIC || head.getUint8(6) !== 1 || length !== HEADER_BYTES + 16 * movers + 4 * gone + said) {
    throw new Error("not a frame of positions");
  }
  let at = start + HEADER_BYTES;
  const take = (Kind, count, bytes) => {
    const column = new Kind(buffer, at, count);
    at += bytes;
    return column;
  };
  return {
    snapshot: head.getUint8(7) === SNAPSHOT,
    tick: head.getUint32(8, true),
    sentMs: Number(head.getBigUint64(12, true)),
    heardMs: Number(head.getBigUint64(20, true)),
    handles: take(Uint32Array, movers, 4 * movers),
    longitudes: take(Int32Array, movers, 4 * movers),
    latitudes: take(Int32Array, movers, 4 * movers),
    motion: take(Uint8Array, 4 * movers, 4 * movers),
    gone: take(Uint32Array, gone, 4 * gone),
    introductions: said ? JSON.parse(text.decode(new Uint8Array(buffer, at, said))) : [],
  };
}

/** Seconds of one age step; Infinity for unknown. */
export function ageOf(step) {
  if (step === 255) return Infinity;
  return step < 200 ? step * 0.1 : 20 + (step - 200) * 20;
}

/** Cuts chunks into frames. A frame that is read has a buffer of its own, so that its columns are aligned. */
export class Cutter {
  #rest = new Uint8Array(0);

  *feed(chunk) {
    const joined = new Uint8Array(this.#rest.length + chunk.length);
    joined.set(this.#rest);
    joined.set(chunk, this.#rest.length);
    let at = 0;
    while (joined.length - at >= 4) {
      const length = new DataView(joined.buffer, at, 4).getUint32(0, true) + 4;
      if (length > MAX_FRAME_BYTES || length < HEADER_BYTES) throw new Error("not a frame of positions");
      if (joined.length - at < length) break;
      const own = joined.slice(at, at + length);
      yield decode(own.buffer, 0, length);
      at += length;
    }
    this.#rest = joined.slice(at);
  }
}
