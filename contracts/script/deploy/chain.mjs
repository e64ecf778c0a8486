// SPDX-License-Identifier: Apache-2.0
// What a chain offers, asked of the chain itself.

/** Returns the block number that contracts see (NUMBER, MSTORE, RETURN). */
const NUMBER_PROBE = '0x4360005260206000f3';

/** EIP-2935. */
const HISTORY_STORAGE = '0x0000F90827F1C53a10cb7A02335B175320002935';

/** RIP-7212 and EIP-7951. */
const P256VERIFY = '0x0000000000000000000000000000000000000100';

/** Hash, r, s, x, y of a valid signature: wycheproof's ecdsa_secp256r1_sha256_p1363, test 1. */
const P256_SIGNATURE =
  '0xbb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023' +
  '2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18' +
  '4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76' +
  '2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838' +
  'c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e';

/**
 * Throws if contracts on this chain count blocks otherwise than the chain does: anchors and challenges
 * name blocks, and none would ever match.
 */
export async function requireOwnBlockNumbers(client) {
  const before = await client.getBlockNumber({ cacheTime: 0 });
  const { data } = await client.call({ data: NUMBER_PROBE });
  const after = await client.getBlockNumber({ cacheTime: 0 });
  const seen = BigInt(data);
  // A node may simulate in the newest block or in the one that comes next.
  if (seen < before || seen > after + 1n) {
    throw new Error(`contracts see block number ${seen} where the chain is at ${after}: this chain is not supported`);
  }
}

/** Which optional features there are. */
export async function features(client) {
  const [history, verified] = await Promise.all([
    client.getCode({ address: HISTORY_STORAGE }),
    client.call({ to: P256VERIFY, data: P256_SIGNATURE }),
  ]);
  return {
    blockHashHistory: Boolean(history),
    p256Precompile: verified.data !== undefined && BigInt(verified.data) === 1n,
  };
}
