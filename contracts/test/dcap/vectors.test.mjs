// SPDX-License-Identifier: Apache-2.0
// Every SGX and TDX vector of $SUBROSA_VECTORS on a chain whose clock shows the vector's time: the verdict, and the
// TCB status where it is accepted, must be the manifest's.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BaseError, bytesToHex, ContractFunctionRevertedError, zeroHash } from 'viem';
import {
  certification,
  dcapCollateral,
  edition,
  pckAuthorityId,
  pckCertificate,
  pemChain,
  rootId,
  withoutCertification,
} from '../../script/dcap/evidence.mjs';
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
  const verdicts = new Map();
  const counts = { accept: 0, reject: 0, either: 0 };
  test('there are vectors', () => assert.ok(chosen.length > 0));
  for (const vector of chosen) {
    test(`${vector.id} is judged as expected`, async (t) => {
      const verdict = await judge(vector);
      verdicts.set(vector.id, verdict);
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
  test('all are judged alike on one contract, whatever it was given before', async () => {
    const contracts = new Map();
    let last = 0n;
    for (const vector of chosen.toSorted((a, b) => Number(time(a) - time(b)))) {
      const expected = verdicts.get(vector.id);
      const root = pinned(vector);
      // Two transactions, each in a block of its own.
      const at = last + 2n > time(vector) ? last + 2n : time(vector);
      if (!contracts.has(root)) contracts.set(root, await deploy(root, at - 1n));
      const found = await appraise(contracts.get(root), vector, at);
      last = at;
      // Why it is refused, and how long lists serve, depends on what is there.
      assert.equal(Boolean(found.claims), Boolean(expected.claims), `${vector.id}: ${found.reason}`);
      assert.deepEqual({ ...found.claims, expires: 0 }, { ...expected.claims, expires: 0 }, vector.id);
    }
  });
  test('counts', (t) => t.diagnostic(JSON.stringify(counts)));
}

/** Judges a vector on a contract of its own, at the vector's time. */
async function judge(vector) {
  const snapshot = await chain.client.snapshot();
  try {
    return await appraise(await deploy(pinned(vector)), vector, time(vector));
  } finally {
    await chain.client.revert({ id: snapshot });
  }
}

/** Whichever root the vector hangs from. */
function pinned({ tee, files }) {
  return tee === 'sgx-synthetic' ? rootId(file(files, 'root_ca_der')) : intel;
}

function time({ now }) {
  return BigInt(now.unix ?? 1_750_000_000);
}

function file(files, role) {
  const found = files.find((each) => each.role === role);
  return found && readFileSync(join(directory, found.path));
}

async function deploy(root, at) {
  const { abi, bytecode } = artifact;
  const { contractAddress: address } = await chain.send(chain.account(0), { abi, bytecode, args: [[root]] }, at);
  return { address, abi };
}

/** Submits the vector's collateral at a time, verifies its quote, whole and without certification data. */
async function appraise(dcap, vector, at) {
  const { files } = vector;
  const quote = file(files, 'quote');
  const collateral = file(files, 'collateral_json') && JSON.parse(file(files, 'collateral_json'));
  const root = pinned(vector);
  const blockOverrides = { time: at };
  const account = chain.account(0);
  const read = (functionName, args) =>
    chain.client.readContract({ ...dcap, functionName, args, gas: 30_000_000n, blockOverrides });

  let gas = 0n;
  let basis = [zeroHash, zeroHash, zeroHash];
  try {
    if (collateral) {
      const put = { ...dcap, functionName: 'putCollateral', args: [dcapCollateral(collateral, file(files, 'root_ca_der'))] };
      await chain.client.simulateContract({ ...put, account, blockOverrides });
      gas = (await chain.send(account, put, at)).gasUsed;
      const [signer] = pemChain(collateral.tcb_info_issuer_chain);
      basis = [
        pckAuthorityId(root, pemChain(collateral.pck_crl_issuer_chain)[0]),
        edition(Buffer.from(collateral.tcb_info), signer),
        edition(Buffer.from(collateral.qe_identity), signer),
      ];
    }
    const leaf = bytesToHex(pckCertificate(quote, collateral));
    const claims = await read('verifyQuote', [bytesToHex(quote), leaf, root, ...basis]);
    const short = await read('verifyQuote', [bytesToHex(withoutCertification(quote)), leaf, root, ...basis]);
    assert.deepEqual(short, claims, 'certification data changes nothing');
    assert.ok(BigInt(claims.expires) >= at, 'the collateral has not run out');
    assert.ok(certification(quote).signed > 0);
    return { claims, gas, status: statuses[claims.tcbStatus - 1] };
  } catch (error) {
    const revert = error instanceof BaseError && error.walk((cause) => cause instanceof ContractFunctionRevertedError);
    if (!revert) throw error;
    const { data, signature } = revert;
    return { reason: data ? `${data.errorName}(${data.args?.join(', ') ?? ''})` : signature };
  }
}
