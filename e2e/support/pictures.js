// Pictures made here, byte by byte: no files, and each one is known to the pixel.
import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';

const table = Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
const crc = (bytes) => (bytes.reduce((sum, byte) => table[(sum ^ byte) & 255] ^ (sum >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;

function chunk(kind, body) {
  const piece = Buffer.alloc(12 + body.length);
  piece.writeUInt32BE(body.length, 0);
  piece.write(kind, 4, 'latin1');
  body.copy(piece, 8);
  piece.writeUInt32BE(crc(piece.subarray(4, 8 + body.length)), 8 + body.length);
  return piece;
}

/** A lamp before a wall, `width` × `height`. */
export function png(width = 640, height = 400, hue = 215) {
  const rows = Buffer.alloc(height * (1 + width * 3));
  const [r, g, b] = [hue, (hue * 7 + 60) % 200, 240 - (hue % 200)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * (1 + width * 3) + 1 + x * 3;
      const [u, v] = [x / width - 0.5, y / height];
      const shade = v > 0.25 && v < 0.5 && Math.abs(u) < (v - 0.1) * 0.6;
      const foot = (v >= 0.5 && v < 0.85 && Math.abs(u) < 0.015) || (v >= 0.85 && v < 0.89 && Math.abs(u) < 0.12);
      const light = Math.max(0, 1 - Math.hypot(u * 1.6, v - 0.55) * 1.4);
      const colour = shade ? [r, g, b] : foot ? [40, 44, 52] : [225 + light * 30, 220 + light * 28, 205 + light * 20];
      colour.forEach((part, channel) => (rows[at + channel] = part));
    }
  }
  return pngOf(width, height, rows);
}

/** A photo of 1.5 MB: `width` × `height` pixels that no compression makes smaller. */
export function photo(width = 1_000, height = 500) {
  const rows = randomBytes(height * (1 + width * 3));
  for (let y = 0; y < height; y++) rows[y * (1 + width * 3)] = 0;
  return pngOf(width, height, rows);
}

function pngOf(width, height, rows) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('tEXt', Buffer.from('Comment\0taken at 48.8584 N 2.2945 E', 'latin1')),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Two frames, red and blue, shown for ever. `padding`: bytes of comment in it. */
export function gif(padding = 0) {
  const frame = (colour) => [
    0x21, 0xf9, 4, 4, 20, 0, 0, 0,
    0x2c, 0, 0, 0, 0, 2, 0, 2, 0, 0,
    // Four equal pixels, three bits a code, cleared halfway so that codes stay short.
    2, 3, ...(colour === 0 ? [4, 8, 20] : [76, 152, 20]), 0,
  ];
  return Buffer.from([
    ...Buffer.from('GIF89a', 'latin1'), 2, 0, 2, 0, 0x80, 0, 0, 255, 0, 0, 0, 0, 255,
    0x21, 0xff, 11, ...Buffer.from('NETSCAPE2.0', 'latin1'), 3, 1, 0, 0, 0,
    ...frame(0), ...frame(1), ...comment(padding), 0x3b,
  ]);
}

function comment(bytes) {
  if (bytes === 0) return [];
  const blocks = Array.from({ length: Math.ceil(bytes / 255) }, () => Buffer.concat([Buffer.from([255]), randomBytes(255)]));
  return [0x21, 0xfe, ...Buffer.concat(blocks), 0];
}

export const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>');
