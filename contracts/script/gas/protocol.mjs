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

/** A request's terms; a charge, in gwei, or an epoch of zero is any. */
export function terms({ envelope = false, fuelLimit = 1_000_000n, callbackGas = 0, deadline, charge = 0, epoch = 0 }) {
  const bounds = [[charge, 40], [epoch, 32], [0, 8]];
  return pack([envelope ? 1 : 0, 16], [0, 16], [fuelLimit, 64], [callbackGas, 32], [deadline, 48], ...bounds);
}

/** The digest of an entry, from its `EntryAppended` event and the digest before. */
export function entryDigest({ chainId, oracle, contractId, previousDigest, event, inputHash }) {
  const executionHash = keccak256(concat([event.context, inputHash, word(event.execution)]));
  const full = hash(
    'entry', chainId, oracle, contractId, event.seq, previousDigest, executionHash, event.settlement, event.payment,
  );
  return { executionHash, digest: word(hexToBigInt(full) & ~0xffn) };
}

/** One `FulfillmentItem` and its result hash. `commitment` is the new one, 208 bits. */
export function item({ digest, executionHash, event, previousCommitment, commitment, output }) {
  const data = bytesToHex(output);
  const outcome = hash('outcome', 1n, keccak256(data), keccak256('0x'), 20n);
  return {
    item: {
      executionHash,
      settlement: event.settlement,
      payment: event.payment,
      result: pack([commitment, 208], [1, 8], [20, 8], [output.length, 32]),
      data,
    },
    resultHash: hash('result', digest, outcome, previousCommitment << 48n, commitment << 48n),
  };
}

/** The compact signature (EIP-2098) of a `SignedResults` message. */
export async function signResults({ chainId, oracle, privateKey, message }) {
  const digest = hashTypedData({
    domain: { name: 'Subrosa', version: '1', chainId, verifyingContract: oracle },
    primaryType: 'SignedResults',
    types: {
      SignedResults: [
        { name: 'resultHashes', type: 'bytes32[]' },
        { name: 'anchorNumber', type: 'uint64' },
        { name: 'anchorHash', type: 'bytes32' },
        { name: 'configHash', type: 'bytes32' },
        { name: 'measurementId', type: 'bytes32' },
        { name: 'keyGroup', type: 'uint32' },
        { name: 'keyEpoch', type: 'uint32' },
      ],
    },
    message,
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

function word(value) {
  if (typeof value === 'bigint' || typeof value === 'number') return toHex(value, { size: 32 });
  return `0x${value.slice(2).padStart(64, '0')}`;
}
