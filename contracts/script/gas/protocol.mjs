// SPDX-License-Identifier: Apache-2.0
// The protocol's words, hashes and signatures, as SubrosaTypes.sol defines them: an independent
// second writing of what the contracts compute.

import { bytesToHex, concat, encodeAbiParameters, hashTypedData, hexToBigInt, keccak256, toHex } from 'viem';
import { sign } from 'viem/accounts';

/** H[name](…words): keccak256 of the domain and 32-byte words. */
export function hash(name, ...words) {
  return keccak256(concat([keccak256(toHex(`subrosa.v1.${name}`)), ...words.map(word)]));
}

/** Packs [value, bits] fields into one word, the first field highest. */
export function pack(...fields) {
  let packed = 0n;
  let total = 0;
  for (const [value, bits] of fields) {
    const field = typeof value === 'string' ? hexToBigInt(value) : BigInt(value);
    if (field < 0n || field >> BigInt(bits)) throw new Error(`${value} does not fit ${bits} bits`);
    packed = (packed << BigInt(bits)) | field;
    total += bits;
  }
  if (total !== 256) throw new Error(`${total} bits packed`);
  return packed;
}

/** A request's terms; a charge (mantissa 15, decimal exponent 5), an epoch or a code version plus one of zero is any. */
export function terms({
  envelope = false, fuelLimit = 1_000_000n, callbackGas = 0, deadline, outputLimit = 32, epoch = 0, code = 0, charge = 0,
}) {
  const bounds = [[epoch, 32], [code, 16], [charge, 20], [0, 4]];
  const flags = [[envelope ? 1 : 0, 8], [0, 8]];
  return pack(...flags, [fuelLimit, 64], [callbackGas, 32], [deadline, 48], [outputLimit, 24], ...bounds);
}

/** The digest of an entry, from its `EntryAppended` event. */
export function entryDigest({ chainId, oracle, event, inputHash }) {
  const executionHash = keccak256(concat([event.context, inputHash, word(event.execution), word(event.refundTo)]));
  const full = hash(
    'entry', chainId, oracle, event.contractId, event.previousDigest, executionHash, event.settlement, event.payment,
  );
  return { executionHash, digest: word(hexToBigInt(full) & ~0xffn) };
}

/** A packed item and its result hash. `commitment` is the new one, 208 bits. */
export function item({ digest, executionHash, event, previousCommitment, commitment, output }) {
  const data = bytesToHex(output);
  const tag = (hexToBigInt(keccak256(toHex('subrosa.v1.outcome'))) >> 16n) << 16n;
  const outcome = keccak256(concat([keccak256(data), keccak256('0x'), word(0), word(tag | (1n << 8n) | 20n)]));
  const resultTag = hexToBigInt(keccak256(toHex('subrosa.v1.result'))) >> 208n;
  return {
    packed: concat([
      executionHash,
      word(event.settlement),
      toHex(event.payment >> 112n, { size: 18 }),
      word(pack([commitment, 208], [1, 8], [20, 8], [output.length, 32])),
      toHex(output.length, { size: 4 }),
      data,
    ]),
    resultHash: keccak256(
      concat([digest, outcome, word((previousCommitment << 48n) | resultTag), word(commitment << 48n)]),
    ),
  };
}

/** A group of packed items. */
export function group({ contractId, commitment, seq, previousDigest, items }) {
  const start = word((commitment << 48n) | seq);
  const counted = word(hexToBigInt(previousDigest) | BigInt(items.length));
  return concat([contractId, start, counted, ...items]);
}

/** A batch; see `ISubrosaOracle.fulfill`. */
export function batch({ payee = zero, keyGroup, keyEpoch, signatures, groups }) {
  const header = concat([
    payee, toHex(keyGroup, { size: 4 }), toHex(keyEpoch, { size: 4 }), '0x000000', toHex(signatures.length, { size: 1 }),
  ]);
  return concat([header, ...signatures.flatMap(({ r, vs }) => [r, vs]), ...groups]);
}

/** The compact signature (EIP-2098) of a `SignedResults` message, or of a `CosignedResults` one without payee. */
export async function signResults({ chainId, oracle, privateKey, resultHashes, payee }) {
  const primaryType = payee === undefined ? 'CosignedResults' : 'SignedResults';
  const hashes = { name: 'resultHashes', type: 'bytes32[]' };
  const digest = hashTypedData({
    domain: { name: 'Subrosa', version: '1', chainId, verifyingContract: oracle },
    primaryType,
    types: { [primaryType]: payee === undefined ? [hashes] : [hashes, { name: 'payee', type: 'address' }] },
    message: { resultHashes, payee },
  });
  const { r, s, yParity } = await sign({ hash: digest, privateKey });
  return { r, vs: word(hexToBigInt(s) | (BigInt(yParity) << 255n)) };
}

/** The registry's EIP-712 messages, signed as r ‖ s ‖ v. */
export async function signForRegistry({ chainId, registry, privateKey, primaryType, components, message }) {
  const digest = hashTypedData({
    domain: { name: 'Subrosa Registry', version: '1', chainId, verifyingContract: registry },
    primaryType,
    types: { [primaryType]: components.map(({ name, type }) => ({ name, type })) },
    message,
  });
  return sign({ hash: digest, privateKey, to: 'hex' });
}

/** Seeded bytes without a zero among them: zeros are cheaper. */
export function randomBytes(seed) {
  let counter = 0n;
  return (length) => {
    const out = new Uint8Array(length);
    let block = [];
    for (let i = 0; i < length; ) {
      if (block.length === 0) {
        const input = encodeAbiParameters([{ type: 'string' }, { type: 'uint256' }], [seed, counter++]);
        block = [...Buffer.from(keccak256(input).slice(2), 'hex')];
      }
      const byte = block.pop();
      if (byte !== 0) out[i++] = byte;
    }
    return out;
  };
}

/** Who sends. */
export const zero = `0x${'0'.repeat(40)}`;

function word(value) {
  if (typeof value === 'bigint' || typeof value === 'number') return toHex(value, { size: 32 });
  return `0x${value.slice(2).padStart(64, '0')}`;
}
