// ---- Raw deflate (RFC 1951). A browser's own DecompressionStream answers later, and older browsers have none.

const LENGTHS = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]; // of the lengths of code lengths
const LONGEST = 15; // bits of a code

/** A table from the next bits to a symbol and the length of its code: `symbol << 4 | length`. */
interface Codes {
  table: Uint16Array;
  bits: number;
}

const distance = (symbol: number): [number, number] => {
  const bits = symbol < 4 ? 0 : (symbol >> 1) - 1;
  return [symbol < 4 ? symbol + 1 : ((2 + (symbol & 1)) << bits) + 1, bits];
};
const DISTANCES = Array.from({ length: 30 }, (_, symbol) => distance(symbol));

function codesOf(lengths: Uint8Array): Codes {
  const bits = lengths.reduce((most, one) => Math.max(most, one), 1);
  const counts = new Uint16Array(LONGEST + 1);
  for (const length of lengths) if (length > 0) counts[length] = (counts[length] as number) + 1;
  const next = new Uint16Array(LONGEST + 2);
  for (let length = 1; length <= LONGEST; length++)
    next[length + 1] = ((next[length] as number) + (counts[length] as number)) << 1;
  const table = new Uint16Array(1 << bits);
  lengths.forEach((length, symbol) => {
    if (length === 0) return;
    let code = next[length] as number;
    next[length] = code + 1;
    let turned = 0; // codes begin with their highest bit, the stream with its lowest
    for (let bit = 0; bit < length; bit++, code >>= 1) turned = (turned << 1) | (code & 1);
    for (let place = turned; place < table.length; place += 1 << length) table[place] = (symbol << 4) | length;
  });
  return { table, bits };
}

const FIXED = [
  codesOf(
    Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
  ),
  codesOf(new Uint8Array(30).fill(5)),
] as const;

/** The bytes of a raw deflate stream. Throws on input that is none. */
export function inflate(input: Uint8Array): Uint8Array {
  let output = new Uint8Array(input.length * 8 + 1024);
  let [end, place, held, bits] = [0, 0, 0, 0]; // bytes written, bytes read, bits that are read and not used

  const need = (wanted: number): void => {
    while (bits < wanted) {
      held |= (input[place++] ?? 0) << bits;
      bits += 8;
    }
    if (place > input.length + 8) throw new Error("the compressed spans are cut off");
  };
  const take = (wanted: number): number => {
    need(wanted);
    const value = held & ((1 << wanted) - 1);
    held >>>= wanted;
    bits -= wanted;
    return value;
  };
  const symbolOf = ({ table, bits: most }: Codes): number => {
    need(most);
    const found = table[held & ((1 << most) - 1)] as number;
    held >>>= found & 15;
    bits -= found & 15;
    return found >> 4;
  };
  const room = (more: number): void => {
    if (end + more <= output.length) return;
    const larger = new Uint8Array(Math.max(output.length * 2, end + more));
    larger.set(output);
    output = larger;
  };
  const tables = (): readonly [Codes, Codes] => {
    const [literals, far, few] = [take(5) + 257, take(5) + 1, take(4) + 4];
    const small = new Uint8Array(19);
    for (let at = 0; at < few; at++) small[ORDER[at] as number] = take(3);
    const codes = codesOf(small);
    const lengths = new Uint8Array(literals + far);
    for (let at = 0; at < lengths.length; ) {
      const symbol = symbolOf(codes);
      if (symbol < 16) lengths[at++] = symbol;
      else if (symbol === 16) at += repeat(lengths, at, lengths[at - 1] as number, take(2) + 3);
      else at += symbol === 17 ? take(3) + 3 : take(7) + 11;
    }
    return [codesOf(lengths.subarray(0, literals)), codesOf(lengths.subarray(literals))];
  };
  const block = ([literals, far]: readonly [Codes, Codes]): void => {
    for (;;) {
      const symbol = symbolOf(literals);
      if (symbol === 256) return;
      room(258);
      if (symbol < 256) {
        output[end++] = symbol;
        continue;
      }
      const length = (LENGTHS[symbol - 257] as number) + take(LENGTH_BITS[symbol - 257] as number);
      const [base, more] = DISTANCES[symbolOf(far)] as [number, number];
      const from = end - base - take(more);
      for (let at = 0; at < length; at++) output[end++] = output[from + at] as number;
    }
  };

  for (let isLast = false; !isLast; ) {
    isLast = take(1) === 1;
    const kind = take(2);
    if (kind === 0) {
      take(bits % 8);
      const length = take(16);
      take(16);
      room(length);
      for (let at = 0; at < length; at++) output[end++] = take(8);
    } else block(kind === 1 ? FIXED : tables());
  }
  return output.subarray(0, end);
}

function repeat(list: Uint8Array, at: number, value: number, times: number): number {
  list.fill(value, at, at + times);
  return times;
}
