// SPDX-License-Identifier: Apache-2.0
// Every SGX and TDX vector of $SUBROSA_VECTORS on a chain whose clock shows the vector's time: the verdict, and the
// TCB status where it is accepted, must be the manifest's.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BaseError, bytesToHex, ContractFunctionRevertedError } from 'viem';
import { certification, dcapCollateral, pckAuthorityId, pckCertificate, pemChain, rootId, withoutCertification } from '../../script/dcap/evidence.mjs';
import { start } from '../../script/gas/chain.mjs';

const intel = '0xa0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e';
const kinds = ['sgx', 'tdx', 'sgx-synthetic'];
const statuses = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'TDRelaunchAdvised',
  'TDRelaunchAdvisedConfigurationNeeded',
];

const directory = process.env.SUBROSA_VECTORS;
const artifact = JSON.parse(
  readFileSync(join(fileURLToPath(import.meta.url), '..', '..', '..', 'artifacts', 'SubrosaDcap.json'), 'utf8'),
);
let chain;

if (!directory) {
  console.log('vectors: NOT RUN');
  test('vectors are present', () => assert.notEqual(process.env.SUBROSA_REQUIRE_VECTORS, '1', 'SUBROSA_VECTORS is not set'));
} else {
  before(async () => {
    chain = await start();
  });
  after(() => chain.stop());

  const { vectors } = JSON.parse(readFileSync(join(directory, 'MANIFEST.json'), 'utf8'));
  const chosen = vectors.filter(({ tee }) => kinds.includes(tee));
  const counts = { accept: 0, reject: 0, either: 0 };
  test('there are vectors', () => assert.ok(chosen.length > 0));
  for (const vector of chosen) {
    test(`${vector.id} is judged as expected`, async (t) => {
      const verdict = await judge(vector);
      t.diagnostic(verdict.claims ? `accept ${verdict.status}, ${verdict.gas} gas of collateral` : `reject ${verdict.reason}`);
      counts[vector.expected.result] += 1;
      if (vector.expected.result === 'either') return;
      assert.equal(verdict.claims ? 'accept' : 'reject', vector.expected.result, verdict.reason);
      if (vector.expected.tcb_status) assert.equal(verdict.status, vector.expected.tcb_status);
      const reportData = vector.measurements?.report_data;
      if (verdict.claims && reportData) {
        assert.equal(verdict.claims.reportDataHigh + verdict.claims.reportDataLow.slice(2), `0x${reportData}`);
      }
    });
  }
  test('counts', (t) => t.diagnostic(JSON.stringify(counts)));
}

/** Deploys, submits the vector's collateral at its time, verifies its quote, whole and without certification data. */
async function judge({ tee, files, now }) {
  const file = (role) => {
    const found = files.find((each) => each.role === role);
    return found && readFileSync(join(directory, found.path));
  };
  const quote = file('quote');
  const collateral = file('collateral_json') && JSON.parse(file('collateral_json'));
  const root = file('root_ca_der');
  const pinned = tee === 'sgx-synthetic' ? rootId(root) : intel;
  const time = BigInt(now.unix ?? 1_750_000_000);

  const governor = chain.account(0);
  const snapshot = await chain.client.snapshot();
  try {
    const { contractAddress } = await chain.send(governor, { abi: artifact.abi, bytecode: artifact.bytecode, args: [[pinned]] });
    const dcap = { address: contractAddress, abi: artifact.abi };
    const read = (functionName, args) =>
      chain.client.readContract({ ...dcap, functionName, args, gas: 30_000_000n, blockOverrides: { time } });

    let gas = 0n;
    let authority = `0x${'0'.repeat(64)}`;
    try {
      if (collateral) {
        const given = dcapCollateral(collateral, root);
        await chain.client.simulateContract({ ...dcap, account: governor, functionName: 'putCollateral', args: [given], blockOverrides: { time } });
        gas = (await chain.send(governor, { ...dcap, functionName: 'putCollateral', args: [given] }, time)).gasUsed;
        authority = pckAuthorityId(pinned, pemChain(collateral.pck_crl_issuer_chain)[0]);
      }
      const leaf = bytesToHex(pckCertificate(quote, collateral));
      const claims = await read('verifyQuote', [bytesToHex(quote), leaf, pinned, authority]);
      const short = await read('verifyQuote', [bytesToHex(withoutCertification(quote)), leaf, pinned, authority]);
      assert.deepEqual(short, claims, 'certification data changes nothing');
      assert.ok(BigInt(claims.expires) >= time, 'the collateral has not run out');
      assert.ok(certification(quote).signed > 0);
      return { claims, gas, status: statuses[claims.tcbStatus - 1] };
    } catch (error) {
      const revert = error instanceof BaseError && error.walk((cause) => cause instanceof ContractFunctionRevertedError);
      if (!revert) throw error;
      const { data, signature } = revert;
      return { reason: data ? `${data.errorName}(${data.args?.join(', ') ?? ''})` : signature };
    }
  } finally {
    await chain.client.revert({ id: snapshot });
  }
}
