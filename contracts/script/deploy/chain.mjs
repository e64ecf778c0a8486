// SPDX-License-Identifier: Apache-2.0
// What a chain is and offers, asked of the chain itself.

import { decodeFunctionResult, encodeFunctionData, pad, parseAbi, toHex } from 'viem';

/** Returns the block number that contracts see (NUMBER, MSTORE, RETURN). */
const NUMBER_PROBE = '0x4360005260206000f3';

/** Returns the hash that contracts see of a block (PUSH32 number, BLOCKHASH, MSTORE, RETURN). */
const hashProbe = (number) => `0x7f${toHex(number, { size: 32 }).slice(2)}4060005260206000f3`;

/** EIP-2935. */
const HISTORY_STORAGE = '0x0000F90827F1C53a10cb7A02335B175320002935';

/** RIP-7212 and EIP-7951. */
const P256VERIFY = '0x0000000000000000000000000000000000000100';

/** Arbitrum's precompiles, as far as `contracts/src/chain/ArbitrumChain.sol` uses them. */
const ARB_SYS = pad('0x64', { size: 20 });
const ARB_GAS_INFO = pad('0x6c', { size: 20 });
const arbitrum = parseAbi([
  'function arbBlockNumber() view returns (uint256)',
  'function arbBlockHash(uint256) view returns (bytes32)',
  'function getL1BaseFeeEstimate() view returns (uint256)',
]);

/** Hash, r, s, x, y of a valid signature: wycheproof's ecdsa_secp256r1_sha256_p1363, test 1. */
const P256_SIGNATURE =
  '0xbb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023' +
  '2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18' +
  '4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76' +
  '2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838' +
  'c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e';

/**
 * Whose way of counting blocks a chain has, `ethereum` or `arbitrum`, which says what contracts it is given. Throws
 * if it has neither: entries and challenges name blocks, and none would ever match.
 */
export async function familyOf(client) {
  // Whatever has the precompile is an Arbitrum chain: its `block.number` may happen to be right.
  const claimed = await arbitrumCall(client, ARB_SYS, 'arbBlockNumber');
  const counts = claimed === undefined ? asEthereum(client) : asArbitrum(client);
  const { family, number, hash } = counts;
  const before = await client.getBlockNumber({ cacheTime: 0 });
  const seen = await number();
  const after = await client.getBlockNumber({ cacheTime: 0 });
  // A node may simulate in the newest block or in the one that comes next.
  if (seen === undefined || seen < before || seen > after + 1n) {
    throw new Error(`contracts see block number ${seen} where the chain is at ${after}: this chain is not supported`);
  }
  // Of a chain that has only its first block there is no earlier one to ask for.
  if (before === 0n) return family;
  const recent = before - 1n;
  const [told, header] = [await hash(recent), await client.getBlock({ blockNumber: recent })];
  if (told !== header.hash) {
    throw new Error(`contracts see ${told} as the hash of block ${recent}, which is ${header.hash}: this chain is not supported`);
  }
  return family;
}

function asEthereum(client) {
  return {
    family: 'ethereum',
    number: async () => word(await client.call({ data: NUMBER_PROBE })),
    hash: async (number) => (await client.call({ data: hashProbe(number) })).data,
  };
}

function asArbitrum(client) {
  return {
    family: 'arbitrum',
    async number() {
      // What the oracle prices the parent chain's data by.
      const estimate = await arbitrumCall(client, ARB_GAS_INFO, 'getL1BaseFeeEstimate');
      if (estimate === undefined) throw new Error(`nothing answers at ${ARB_GAS_INFO}: this chain is not supported`);
      return arbitrumCall(client, ARB_SYS, 'arbBlockNumber');
    },
    hash: (number) => arbitrumCall(client, ARB_SYS, 'arbBlockHash', [number]),
  };
}

/** What a precompile answers; undefined if there is none, or it does not know. */
async function arbitrumCall(client, to, functionName, args = []) {
  try {
    const { data } = await client.call({ to, data: encodeFunctionData({ abi: arbitrum, functionName, args }) });
    if (data?.length !== 66) return undefined;
    return decodeFunctionResult({ abi: arbitrum, functionName, data });
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/** Whether the call was made and reverted, rather than not made. */
function isRefusal(error) {
  const revert = (cause) => cause?.code === 3 || /revert/i.test(`${cause?.shortMessage ?? ''} ${cause?.details ?? ''}`);
  return revert(error) || (error.cause !== undefined && isRefusal(error.cause));
}

function word({ data }) {
  return data === undefined ? undefined : BigInt(data);
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
