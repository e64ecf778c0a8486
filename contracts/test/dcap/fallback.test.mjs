// SPDX-License-Identifier: Apache-2.0
// On a chain without the P-256 precompile, the same evidence gives the same claims.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { zeroHash } from 'viem';
import { start } from '../../script/gas/chain.mjs';

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const { abi, bytecode } = read('../../artifacts/SubrosaDcap.json');
const { now, rootId, pckAuthority, bases } = read('../fixtures/dcap.json');
const precompile = '0x0000000000000000000000000000000000000100';

async function judge(hardfork) {
  const chain = await start({ hardfork });
  try {
    const account = chain.account(0);
    const { contractAddress: address } = await chain.send(account, { abi, bytecode, args: [[rootId]] });
    const p256 = await chain.client.readContract({ address, abi, functionName: 'p256' });
    const args = [bases.tdx.collateral];
    const { gasUsed } = await chain.send(account, { address, abi, functionName: 'putCollateral', args }, BigInt(now));
    const claims = await chain.client.readContract({
      address,
      abi,
      functionName: 'verifyQuote',
      args: [bases.tdx.quote, bases.tdx.pck, rootId, pckAuthority, zeroHash, zeroHash],
      blockOverrides: { time: BigInt(now) },
    });
    const forged = `${bases.tdx.quote.slice(0, 300)}${bases.tdx.quote[300] === '0' ? '1' : '0'}${bases.tdx.quote.slice(301)}`;
    await assert.rejects(
      chain.client.readContract({
        address,
        abi,
        functionName: 'verifyQuote',
        args: [forged, bases.tdx.pck, rootId, pckAuthority, zeroHash, zeroHash],
        blockOverrides: { time: BigInt(now) },
      }),
      /SignatureInvalid/,
    );
    return { p256: p256.toLowerCase(), claims, gasUsed };
  } finally {
    await chain.stop();
  }
}

test('a chain without the precompile gives the same claims', async (t) => {
  const [with_, without] = [await judge('osaka'), await judge('prague')];
  assert.equal(with_.p256, precompile);
  assert.notEqual(without.p256, precompile);
  assert.deepEqual(without.claims, with_.claims);
  t.diagnostic(`putCollateral: ${with_.gasUsed} gas with the precompile, ${without.gasUsed} without`);
});
