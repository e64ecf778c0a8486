// SPDX-License-Identifier: Apache-2.0
// Writing DER (X.690): as much of it as certificates and revocation lists take.

export function element(tag, ...contents) {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

export const sequence = (...parts) => element(0x30, ...parts);
export const set = (...parts) => element(0x31, ...parts);
export const octets = (bytes) => element(0x04, bytes);
export const bits = (bytes, unused = 0) => element(0x03, Buffer.from([unused]), bytes);
export const boolean = (value) => element(0x01, Buffer.from([value ? 0xff : 0]));
export const utf8 = (text) => element(0x0c, Buffer.from(text));
export const explicit = (number, ...parts) => element(0xa0 + number, ...parts);

/** A number that is not negative, from its big-endian bytes. */
export function integer(bytes) {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const content = Buffer.from(bytes.subarray(start));
  return element(0x02, content[0] & 0x80 ? Buffer.concat([Buffer.from([0]), content]) : content);
}

export const small = (value) => integer(Buffer.from(value > 0xff ? [value >> 8, value & 0xff] : [value]));

/** An object identifier, given in dotted form. */
export function oid(dotted) {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return element(0x06, Buffer.from(bytes));
}

/** UTCTime before 2050, GeneralizedTime from then on (RFC 5280, 4.1.2.5). `unix` in seconds. */
export function time(unix) {
  const text = new Date(unix * 1000).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return Number(text.slice(0, 4)) < 2050
    ? element(0x17, Buffer.from(`${text.slice(2)}Z`))
    : element(0x18, Buffer.from(`${text}Z`));
}
